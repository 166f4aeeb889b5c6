//! The lab: two carriers, a client and an origin in network namespaces of one machine, with a real node at each
//! carrier. `cargo xtask lab` brings it up and waits; demo and integration tests use it as a library. Needs root.

pub mod certificates;
pub mod client;
pub mod daemon;
pub mod fleet;
pub mod guide;
pub mod netns;
pub mod node;
pub mod origin;
pub mod run;
pub mod settings;
pub mod sweep;
pub mod topology;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::{Group, User};

pub use client::{Answer, Client, Request, Scheme};
pub use node::Node;
pub use settings::{BanPolicy, LabOptions, Mode, Site};
pub use topology::{CARRIERS, Carrier};

use self::certificates::{Authority, SiteFiles};
use self::fleet::Fleet;
use self::netns::Namespace;
use self::origin::Origin;
use self::run::Run;
use self::settings::{NodeFiles, node_toml};
use self::topology::Network;
use crate::build::Built;
use crate::{interrupt, privilege, say, workspace};

/// Each node's admin listener, in its own namespace.
pub const ADMIN: &str = "127.0.0.1:9900";
/// Who the nodes and the origin run as.
const USER: &str = "nobody";
/// The product's own rules, used where a lab names none.
const STARTER_RULES: &str = "waf-user/rules/starter.conf";

/// Where a site is served at one carrier: the node's place among the lab's, and the site's addresses there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub node: usize,
    pub v4: IpAddr,
    pub v6: IpAddr,
}

/// A lab that is up. Everything goes on drop: nodes, pins, origin, namespaces, folder, in this order.
#[derive(Debug)]
pub struct Lab {
    nodes: Vec<Node>,
    /// For each site, its places at A and at B.
    places: Vec<(String, [Place; 2])>,
    origin: Origin,
    client: Client,
    authority: Authority,
    network: Network,
    options: LabOptions,
    run: Run,
}

impl Lab {
    /// Sweeps, then brings everything up and waits until both nodes serve.
    ///
    /// # Errors
    /// No root, or a part does not come up; what was made until then is removed.
    pub fn start(built: &Built, options: LabOptions) -> Result<Self> {
        if !privilege::is_root() {
            bail!("the lab needs root: namespaces, BPF programs and another user's processes");
        }
        sweep::sweep()?;
        let run = Run::begin()?;
        let user = User::from_name(USER)?.with_context(|| format!("no user {USER} on this machine"))?;
        let files = LabFiles::lay(&run, built, &options, &user)?;
        interrupt::check()?;
        let network = Network::new(run.id())?;
        interrupt::check()?;
        let addresses = CARRIERS.map(Carrier::origin);
        let origin = Origin::start(&run, &network.origin, &user, &addresses)?;
        let start = |carrier: Carrier| -> Result<Node> {
            interrupt::check()?;
            let name = format!("{}-{}", carrier.node(), run.id());
            let files = files.node(&run, &options, carrier, &name, &user)?;
            let mut node = Node::new(carrier, name, network.carrier(carrier).clone(), files, user.clone());
            node.load()?;
            node.start(&run)?;
            Ok(node)
        };
        let nodes = vec![start(Carrier::A)?, start(Carrier::B)?];
        let places = options.sites.iter().map(fixed_places).collect();
        let authority = files.authority;
        let client = Client::new(network.client.clone(), authority.certificate.clone());
        Ok(Self { nodes, places, origin, client, authority, network, options, run })
    }

    /// The first node of a carrier: the only one, but in a fleet.
    pub fn node(&self, carrier: Carrier) -> &Node {
        &self.nodes[self.first(carrier)]
    }

    pub fn node_mut(&mut self, carrier: Carrier) -> &mut Node {
        let first = self.first(carrier);
        &mut self.nodes[first]
    }

    fn first(&self, carrier: Carrier) -> usize {
        let mut nodes = self.nodes.iter();
        nodes.position(|node| node.carrier == carrier).expect("a lab has nodes at both carriers")
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where a site is served at a carrier.
    ///
    /// # Errors
    /// The lab has no such site.
    pub fn place(&self, fqdn: &str, carrier: Carrier) -> Result<Place> {
        let found = self.places.iter().find(|(name, _)| name == fqdn);
        let (_, [a, b]) = found.with_context(|| format!("the lab has no site {fqdn}"))?;
        Ok(if carrier == Carrier::A { *a } else { *b })
    }

    /// The node that serves a site at a carrier.
    ///
    /// # Errors
    /// The lab has no such site.
    pub fn serving(&self, fqdn: &str, carrier: Carrier) -> Result<&Node> {
        let place = self.place(fqdn, carrier)?;
        self.nodes.get(place.node).with_context(|| format!("{fqdn} is served by no node"))
    }

    /// The same, to be stopped or killed.
    ///
    /// # Errors
    /// The lab has no such site.
    pub fn serving_mut(&mut self, fqdn: &str, carrier: Carrier) -> Result<&mut Node> {
        let place = self.place(fqdn, carrier)?;
        self.nodes.get_mut(place.node).with_context(|| format!("{fqdn} is served by no node"))
    }

    /// Starts the daemon again of the node that serves a site, after [`Node::stop`] or [`Node::kill`].
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn restart_serving(&mut self, fqdn: &str, carrier: Carrier) -> Result<()> {
        let place = self.place(fqdn, carrier)?;
        let node = self.nodes.get_mut(place.node).with_context(|| format!("{fqdn} is served by no node"))?;
        node.start(&self.run)
    }

    /// Starts a node's daemon again after [`Node::stop`] or [`Node::kill`].
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn restart(&mut self, carrier: Carrier) -> Result<()> {
        let first = self.first(carrier);
        self.nodes[first].start(&self.run)
    }

    /// Has a second daemon take over a node; the first is given back and ends by itself.
    ///
    /// # Errors
    /// As [`Node::take_over`].
    pub fn take_over(&mut self, carrier: Carrier) -> Result<daemon::Daemon> {
        let first = self.first(carrier);
        self.nodes[first].take_over(&self.run)
    }

    /// Starts a process of a node's daemon with more words on its command line, beside the one that runs.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn process(&mut self, carrier: Carrier, words: &[&str]) -> Result<daemon::Daemon> {
        let first = self.first(carrier);
        self.nodes[first].process(&self.run, words)
    }

    /// A new key and certificate of a site, in the files of the old ones. The nodes serve them after a reload.
    ///
    /// # Errors
    /// What openssl complains of.
    pub fn renew_certificate(&self, fqdn: &str) -> Result<SiteFiles> {
        let files = self.authority.site(fqdn)?;
        let user = User::from_name(USER)?.with_context(|| format!("no user {USER} on this machine"))?;
        give(&files.key, None, Some(&user), 0o640)?;
        Ok(files)
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn client_namespace(&self) -> &Namespace {
        &self.network.client
    }

    pub fn carrier_namespace(&self, carrier: Carrier) -> &Namespace {
        self.network.carrier(carrier)
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub fn options(&self) -> &LabOptions {
        &self.options
    }

    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The site of a name.
    ///
    /// # Errors
    /// The lab has no such site.
    pub fn site(&self, fqdn: &str) -> Result<&Site> {
        let mut sites = self.options.sites.iter();
        sites.find(|site| site.fqdn == fqdn).with_context(|| format!("the lab has no site {fqdn}"))
    }

    /// The last lines of every log, for whoever looks into a failure.
    pub fn logs(&self) -> String {
        let daemons = self.nodes.iter().filter_map(Node::daemon).chain([self.origin.daemon()]);
        let logs = daemons.map(|daemon| format!("--- {}\n{}", daemon.log().display(), daemon.tail()));
        logs.collect::<Vec<_>>().join("\n")
    }
}

/// `cargo xtask lab`: a fleet that serves, then wait for Ctrl-C.
///
/// # Errors
/// As [`Fleet::serving`].
pub fn run(built: &Built) -> Result<()> {
    let fleet = Fleet::serving(built)?;
    say!("{}", guide::text(&fleet)?);
    interrupt::wait();
    let id = fleet.lab().run.id().to_owned();
    drop(fleet);
    say!("lab: run {id} cleared away");
    Ok(())
}

/// Where node.toml says that a site is served.
fn fixed_places(site: &Site) -> (String, [Place; 2]) {
    let place = |(node, carrier): (usize, Carrier)| Place {
        node,
        v4: carrier.service(site.host),
        v6: carrier.service6(site.host),
    };
    (site.fqdn.to_owned(), [(0, Carrier::A), (1, Carrier::B)].map(place))
}

/// What both nodes share below the run folder.
#[derive(Debug)]
struct LabFiles {
    waf: PathBuf,
    object: PathBuf,
    rules: Vec<PathBuf>,
    authority: Authority,
    certificates: Vec<SiteFiles>,
}

impl LabFiles {
    fn lay(run: &Run, built: &Built, options: &LabOptions, user: &User) -> Result<Self> {
        let waf = run.copy(&built.waf, "waf")?;
        let object = run.copy(&built.object, "waf.bpf.o")?;
        let starter = [workspace::root().join(STARTER_RULES)];
        let rules = if options.rules.is_empty() { &starter[..] } else { &options.rules };
        let rules = rules.iter().enumerate().map(|(i, file)| run.copy(file, &format!("rules-{i}.conf")));
        let rules = rules.collect::<Result<Vec<_>>>()?;

        let folder = run.folder().join("tls");
        run::make_folder(&folder, 0o755)?;
        let authority = Authority::new(&folder)?;
        let certificates =
            options.sites.iter().map(|site| authority.site(site.fqdn)).collect::<Result<Vec<_>>>()?;
        for files in &certificates {
            give(&files.key, None, Some(user), 0o640)?;
        }
        Ok(Self { waf, object, rules, authority, certificates })
    }

    fn node(
        &self,
        run: &Run,
        options: &LabOptions,
        carrier: Carrier,
        name: &str,
        user: &User,
    ) -> Result<node::Files> {
        let folder = run.folder().join(carrier.node());
        run::make_folder(&folder, 0o755)?;
        let (config, state) = (folder.join("node.toml"), folder.join("state"));
        run::make_folder(&state, 0o750)?;
        give(&state, Some(user), Some(user), 0o750)?;
        let files = NodeFiles {
            object: &self.object,
            state: &state,
            user: &user.name,
            rules: &self.rules,
            certificates: &self.certificates,
        };
        let text = node_toml(options, carrier, name, &files);
        fs::write(&config, text).with_context(|| format!("write {}", config.display()))?;
        Ok(node::Files { waf: self.waf.clone(), config, state })
    }
}

/// Sets owner, group (a user's primary one) and mode.
fn give(path: &Path, owner: Option<&User>, group: Option<&User>, mode: u32) -> Result<()> {
    let gid = group.map(|user| user.gid.as_raw());
    std::os::unix::fs::chown(path, owner.map(|user| user.uid.as_raw()), gid)
        .with_context(|| format!("change the owner of {}", path.display()))?;
    run::set_mode(path, mode)
}

/// Name of the group that keys are given to, for the guide.
fn group_name(user: &str) -> String {
    let group =
        User::from_name(user).ok().flatten().and_then(|user| Group::from_gid(user.gid).ok().flatten());
    group.map_or_else(|| user.to_owned(), |group| group.name)
}
