//! The lab as a fleet: two carriers with three nodes each, and a control plane that nodes join and sheets are applied at.
//! Everything here goes by the product's own commands: what the fleet serves is what the control plane was told.

mod asking;
pub mod control;
mod members;
pub mod sheet;
pub mod topology;

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::User;
use serde_json::Value;

pub use asking::Notice;
pub use control::{ControlPlane, Person};
pub use sheet::{SHEETS, Sheet};
pub use topology::Seat;

use self::topology::{FleetNetwork, ORIGIN};
use super::certificates::SiteFiles;
use super::netns::Namespace;
use super::origin::Origin;
use super::settings::{Machine, NodeFiles, machine_toml};
use super::{CARRIERS, Client, Lab, LabFiles, LabOptions, Node, Place, Request, Scheme, Site, USER};
use super::{node, run, sweep};
use crate::build::Built;
use crate::{interrupt, privilege};

/// Whose sites they are.
pub const CUSTOMER: &str = "example";
/// From an apply to the last node's serving by it: staged, checked and activated; a busy machine takes longer.
const SERVED: Duration = Duration::from_secs(15);

/// A fleet that is up. On drop everything goes: the control plane first, then as in every lab.
#[derive(Debug)]
pub struct Fleet {
    control: ControlPlane,
    customer: Person,
    seats: Vec<Seat>,
    /// What the customer asked for last.
    sheets: Vec<Sheet>,
    /// As of the last apply.
    revision: u64,
    certificates: Vec<SiteFiles>,
    lab: Lab,
}

impl Fleet {
    /// Sweeps, then lays the network, loads the kernel halves and starts the control plane. No node has joined yet.
    ///
    /// # Errors
    /// No root, or a part does not come up; what was made until then is removed.
    pub fn start(built: &Built) -> Result<Self> {
        Self::start_with(built, LabOptions::default())
    }

    /// The same with other options than the usual; the sites are the fleet's own.
    ///
    /// # Errors
    /// As [`Fleet::start`].
    pub fn start_with(built: &Built, options: LabOptions) -> Result<Self> {
        if !privilege::is_root() {
            bail!("the lab needs root: namespaces, BPF programs and another user's processes");
        }
        sweep::sweep()?;
        let run = run::Run::begin()?;
        let user = User::from_name(USER)?.with_context(|| format!("no user {USER} on this machine"))?;
        let sites = SHEETS.iter().map(site).collect();
        let options = LabOptions { sites, ..options };
        let files = LabFiles::lay(&run, built, &options, &user)?;
        interrupt::check()?;
        let FleetNetwork { network, control, nodes: namespaces } = FleetNetwork::new(run.id())?;
        interrupt::check()?;
        let origin = Origin::start(&run, &network.origin, &user, &[ORIGIN])?;
        let mut control = ControlPlane::lay(&run, &files.waf, control, &user)?;
        let mut nodes = Vec::new();
        for (seat, namespace) in &namespaces {
            interrupt::check()?;
            let mut node = seated(&run, &files, &options, (*seat, namespace), &user)?;
            node.load()?;
            nodes.push(node);
        }
        control.start(&run)?;
        let customer = control.customer(CUSTOMER)?;
        let LabFiles { authority, certificates, .. } = files;
        let client = Client::new(Rc::clone(&network.client), authority.certificate.clone());
        let seats = namespaces.iter().map(|(seat, _)| *seat).collect();
        let lab = Lab { nodes, places: Vec::new(), origin, client, authority, network, options, run };
        Ok(Self { control, customer, seats, sheets: Vec::new(), revision: 0, certificates, lab })
    }

    /// The same with all nodes joined and all sheets applied, which every step but the first few expects.
    ///
    /// # Errors
    /// As [`Fleet::start`]; or the control plane refuses something.
    pub fn serving(built: &Built) -> Result<Self> {
        Self::serving_with(built, LabOptions::default())
    }

    /// The same with other options than the usual.
    ///
    /// # Errors
    /// As [`Fleet::serving`].
    pub fn serving_with(built: &Built, options: LabOptions) -> Result<Self> {
        let mut fleet = Self::start_with(built, options)?;
        fleet.serve_all()?;
        Ok(fleet)
    }

    /// Lets all nodes join, and applies all sheets.
    ///
    /// # Errors
    /// The control plane refuses something, or a node does not serve in time.
    pub fn serve_all(&mut self) -> Result<()> {
        self.apply_inventory()?;
        for index in 0..self.seats.len() {
            self.join(index)?;
        }
        self.start_nodes()?;
        self.apply(&SHEETS)?;
        Ok(())
    }

    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    pub fn lab_mut(&mut self) -> &mut Lab {
        &mut self.lab
    }

    pub fn control(&self) -> &ControlPlane {
        &self.control
    }

    pub fn control_mut(&mut self) -> (&mut ControlPlane, &run::Run) {
        (&mut self.control, &self.lab.run)
    }

    /// Who owns the sites.
    pub fn customer(&self) -> &Person {
        &self.customer
    }

    /// The nodes' seats, in the order of the lab's nodes.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// What the customer asked for last.
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// Looks up where every site is served, and waits until it is.
    ///
    /// # Errors
    /// One is not served in time.
    pub fn settle(&mut self) -> Result<()> {
        let sheets = self.sheets.clone();
        for sheet in &sheets {
            let shown = self.site(sheet.fqdn)?;
            let environment = environment(&shown, true).context("a site without environment")?;
            let tenant = environment["tenant"].as_u64().and_then(|number| u32::try_from(number).ok());
            let places = self.places_of(environment)?;
            self.lab.places.retain(|(fqdn, _)| fqdn != sheet.fqdn);
            self.lab.places.push((sheet.fqdn.to_owned(), places));
            if let Some(site) = self.lab.options.sites.iter_mut().find(|site| site.fqdn == sheet.fqdn) {
                site.tenant = tenant.context("an environment without number")?;
                site.workers = worker_of(site.tenant);
            }
        }
        for sheet in &sheets {
            for carrier in CARRIERS {
                let place = self.lab.place(sheet.fqdn, carrier)?;
                self.wait_served(sheet, place)?;
            }
        }
        Ok(())
    }

    /// An environment's places at A and at B.
    ///
    /// # Errors
    /// It has not one at each.
    pub fn places_of(&self, environment: &Value) -> Result<[Place; 2]> {
        let placements = environment["placements"].as_array().context("an environment without placements")?;
        let place = |name: &str| -> Result<Place> {
            let found = placements.iter().find(|it| it["carrier"] == name);
            let found = found.with_context(|| format!("no placement at {name}"))?;
            let text =
                |field: &str| found[field].as_str().with_context(|| format!("a placement without {field}"));
            let node = text("node")?;
            let node =
                self.lab.nodes.iter().position(|it| it.name() == node).context("a node of the fleet")?;
            Ok(Place { node, v4: text("ipv4")?.parse()?, v6: text("ipv6")?.parse()? })
        };
        let [a, b] = CARRIERS.map(|carrier| place(carrier.name()));
        Ok([a?, b?])
    }

    /// Waits until a site is answered at a place, by every scheme that its sheet tells.
    ///
    /// # Errors
    /// It is not in time.
    pub fn wait_served(&self, sheet: &Sheet, place: Place) -> Result<()> {
        let schemes = match sheet.handshakes_s {
            Some(_) => &[Scheme::Http, Scheme::Https][..],
            None => &[Scheme::Http],
        };
        for scheme in schemes {
            for address in [place.v4, place.v6] {
                let request = Request::get(*scheme, sheet.fqdn, address, "/");
                let what = format!("{} to be served at {address} by {}", sheet.fqdn, scheme.name());
                interrupt::until(&what, SERVED, || {
                    // A node that does not serve it yet answers otherwise, or shows another's certificate.
                    let answer = self.lab.client.send(&request).unwrap_or_default();
                    Ok(answer.filter(|answer| answer.status == 200))
                })?;
            }
        }
        Ok(())
    }

    /// The last lines of every log, for whoever looks into a failure.
    pub fn logs(&self) -> String {
        let control = self
            .control
            .daemon()
            .map(|daemon| format!("--- {}\n{}\n", daemon.log().display(), daemon.tail()));
        control.unwrap_or_default() + &self.lab.logs()
    }

    /// Writes a file that only we read, as it may hold a key; its path.
    fn file(&self, name: &str, text: &str) -> Result<String> {
        let path: PathBuf = self.lab.run.folder().join("control").join(name);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        run::set_mode(&path, 0o600)?;
        path.into_os_string().into_string().ok().context("a path in plain letters")
    }
}

/// The environment of a site that serves it now, or the one of before the last move.
pub fn environment(site: &Value, current: bool) -> Option<&Value> {
    site["environments"].as_array()?.iter().find(|it| it["current"] == current)
}

/// As the steps know a site; its number comes with its environment.
fn site(sheet: &Sheet) -> Site {
    Site { tenant: 0, fqdn: sheet.fqdn, host: 0, workers: &[], mode: sheet.mode }
}

/// The worker that a node gives to a tenant, of two.
fn worker_of(tenant: u32) -> &'static [u16] {
    if tenant.is_multiple_of(2) { &[0] } else { &[1] }
}

fn seated(
    run: &run::Run,
    files: &LabFiles,
    options: &LabOptions,
    (seat, namespace): (Seat, &Rc<Namespace>),
    user: &User,
) -> Result<Node> {
    let name = format!("{}-{}", seat.name(), run.id());
    let folder = run.folder().join(seat.name());
    run::make_folder(&folder, 0o755)?;
    let (config, state) = (folder.join("node.toml"), folder.join("state"));
    run::make_folder(&state, 0o750)?;
    super::give(&state, Some(user), Some(user), 0o750)?;
    let machine = Machine {
        name: &name,
        carrier: seat.carrier,
        service_prefixes: seat.prefixes(),
        origin_network: format!("{ORIGIN}/32"),
    };
    let node_files =
        NodeFiles { object: &files.object, state: &state, user: &user.name, rules: &[], certificates: &[] };
    let text = machine_toml(options, &machine, &node_files);
    let (url, rules) = (ControlPlane::sync_url(), &files.rules);
    let text = format!("{text}\n[control]\nurl = {url:?}\nrules = {rules:?}\nown_worker = true\n");
    fs::write(&config, text).with_context(|| format!("write {}", config.display()))?;
    let files = node::Files { waf: files.waf.clone(), config, state };
    Ok(Node::new(seat.carrier, name, Rc::clone(namespace), files, user.clone()))
}
