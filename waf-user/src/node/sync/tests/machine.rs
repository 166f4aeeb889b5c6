//! A node without kernel, workers and privilege, for tests on either side of the stream: it stages, activates, bans and
//! keeps as a real one does.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{self, NodeConfig, NodeSettings, parse_control};
use crate::event::Journal;
use crate::model::sync::NodeDocument;
use crate::model::{Ban, Generation, Mono};
use crate::node::enforce::{Enforcer, Force};
use crate::node::feedback::Feedback;
use crate::node::protect::Protected;
use crate::node::reload::Reloader;
use crate::node::services::ServicePlan;
use crate::node::shelf::{Shelf, ShelfError, Signed};
use crate::node::snapshot::{self, Lasting};
use crate::node::standing::{Facts, Phase, Standing, WithControl};
use crate::node::sync::client::Client;
use crate::node::sync::documents::Documents;
use crate::node::sync::join::{JoinError, join};
use crate::node::sync::told::lifted;
use crate::node::sync::{Told, UPLINK_MAX};
use crate::node::tests::Tables;
use crate::proxy::Lists;
use crate::telemetry::Metrics;

/// A folder of the test's own, gone with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("waf-node-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One machine: its node.toml and its disk. A [`Running`] node comes and goes on it.
pub struct Machine {
    pub folder: Folder,
    settings: NodeSettings,
    local: NodeConfig,
}

impl Machine {
    /// `port`: of control on 127.0.0.1. `prefixes`: service prefixes.
    pub fn new(name: &str, port: u16, prefixes: &str) -> Self {
        let folder = Folder::new(name);
        let text = format!(
            "[node]\nname = \"{name}\"\ncarrier = \"carrier-a\"\ninterface = \"eth9\"\nservice_prefixes = [{prefixes}]\n\
             state_dir = \"state\"\n[control]\nurl = \"https://127.0.0.1:{port}\"\n"
        );
        let (settings, local) = config::parse(&folder.path().join("node.toml"), &text)
            .unwrap_or_else(|errors| panic!("{errors}"));
        Self { folder, settings, local }
    }

    pub fn settings(&self) -> &NodeSettings {
        &self.settings
    }

    /// Lists and policy of node.toml.
    pub fn local(&self) -> &NodeConfig {
        &self.local
    }

    /// Without `interface`, which only a machine with one has.
    pub fn set_no_interface(&mut self) {
        self.settings.interface = None;
    }

    /// As `waf node-join` does, but as any user.
    pub async fn join(&self, token: &str) -> Result<(), JoinError> {
        let control = self.settings.control.as_ref().expect("a table [control]");
        let url = parse_control(&format!("https://127.0.0.1:{}", control.port)).expect("a URL");
        let settings = NodeSettings { interface: None, ..self.settings.clone() };
        join(&settings, &url, token).await
    }

    pub fn shelf(&self) -> Result<Shelf, ShelfError> {
        Shelf::open(&self.settings.state_dir)
    }

    /// What a start finds on disk.
    pub fn last_good(&self) -> Result<Option<Signed>, ShelfError> {
        let shelf = self.shelf()?;
        shelf.last_good(&shelf.fleet_key()?, self.settings.name.as_str())
    }

    /// Starts with what is on disk, as `waf node` does. Call within a `LocalSet`.
    pub fn start(&self) -> Running {
        let shelf = Arc::new(self.shelf().expect("a shelf"));
        let document = self.last_good().expect("what was kept").map(Arc::new);
        let config = match &document {
            Some(signed) => config::shipped::configure(&self.settings, &self.local, &signed.document)
                .unwrap_or_else(|error| panic!("{error}")),
            None => self.local.clone(),
        };
        let lasting = Lasting::with_shelf(shelf);
        let generation = Generation(1);
        let built = snapshot::build(&self.settings, &config, generation, &lasting)
            .unwrap_or_else(|error| panic!("{error}"));
        let (uplink, up) = mpsc::channel(UPLINK_MAX);
        let metrics = Arc::new(Metrics::default());
        let lists = Arc::new(ArcSwap::from_pointee(Lists::default()));
        let plan = ServicePlan::new(&config, 1, &[]);
        let protected = Protected::new(&self.settings, &config, &[]);
        let tables = Tables::default();
        let filter = Some(Box::new(tables.clone()) as Box<dyn crate::node::filter::Filter>);
        let (tenants, feedback) = (config.tenants.len(), Feedback::new(&config));
        let enforcer = Enforcer::new(config, plan, protected, lists, Vec::new(), filter);
        let facts = Facts {
            generation: Cell::new(generation),
            tenants: Cell::new(tenants),
            workers: 1,
            phase: Cell::new(Phase::Serving),
            waits: Cell::new(document.is_none()),
            control: RefCell::new(Some(WithControl::default())),
        };
        let standing = Rc::new(Standing {
            facts: Rc::new(facts),
            settings: RefCell::new(self.settings.clone()),
            local: RefCell::new(self.local.clone()),
            document: RefCell::new(document),
            uplink: Some(uplink),
            path: RefCell::new(self.folder.path().join("node.toml")),
            snapshot: Arc::new(ArcSwap::from_pointee(built.snapshot)),
            lasting,
            enforcer: Rc::new(RefCell::new(enforcer)),
            feedback: Rc::new(RefCell::new(feedback)),
            metrics: Arc::clone(&metrics),
            journal: Journal::open(None, None, metrics).expect("no logs"),
            commands: Vec::new(),
            observed: mpsc::channel(1).0.downgrade(),
            sockets: RefCell::new(Vec::new()),
            cpus: Vec::new(),
        });
        standing.take_up().expect("maps made of tables");
        let reloader = Rc::new(Reloader::new(Rc::clone(&standing)));
        let control = self.settings.control.clone().expect("a table [control]");
        let client = Client::new(Rc::clone(&standing), Rc::clone(&reloader), control).expect("a shelf");
        let task = tokio::task::spawn_local(client.run(up));
        Running { standing, reloader, tables, task }
    }
}

/// A node that serves and keeps a stream with control; killed when dropped.
pub struct Running {
    standing: Rc<Standing>,
    reloader: Rc<Reloader>,
    tables: Tables,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    /// What it does with documents, for a test that says them itself.
    pub fn documents(&self) -> Documents {
        let shelf = self.standing.lasting.shelf().expect("a shelf");
        Documents::new(Rc::clone(&self.standing), Rc::clone(&self.reloader), shelf)
    }

    /// Of the document served; 0 = none.
    pub fn generation(&self) -> u64 {
        self.standing.document.borrow().as_ref().map_or(0, |signed| signed.generation)
    }

    pub fn document(&self) -> Option<NodeDocument> {
        self.standing.document.borrow().as_ref().map(|signed| signed.document.clone())
    }

    /// Names served, with whether TLS is.
    pub fn sites(&self) -> Vec<(String, bool)> {
        let snapshot = self.standing.snapshot.load();
        let mut sites: Vec<_> =
            snapshot.sites.iter().map(|site| (site.fqdn.to_string(), site.https_port.is_some())).collect();
        sites.sort();
        sites
    }

    /// `scope prefix` of each ban in the table.
    pub fn bans(&self) -> Vec<String> {
        let enforcer = self.standing.enforcer.borrow();
        enforcer.bans().list().iter().map(|ban| format!("{} {}", ban.scope, ban.prefix)).collect()
    }

    /// How many entries lie in the kernel's block list.
    pub fn blocks(&self) -> usize {
        self.tables.blocks.borrow().len()
    }

    /// A ban as the feedback loop makes it: holds here, and control is told.
    pub fn ban_by_rules(&self, ban: Ban) {
        self.standing.enforcer.borrow_mut().ban(ban.clone(), Force::No).expect("a ban that holds");
        let uplink = self.standing.uplink.as_ref().expect("an uplink");
        uplink.try_send(Told::Banned(ban)).expect("room");
    }

    /// As `waf ban remove --config` does.
    pub fn unban(&self, ban: &Ban) {
        let removed = self.standing.enforcer.borrow_mut().unban(ban.scope, ban.prefix).expect("a ban");
        if let Some(told) = lifted(&removed) {
            self.standing.uplink.as_ref().expect("an uplink").try_send(told).expect("room");
        }
    }

    pub fn reap(&self, now: Mono) {
        self.standing.enforcer.borrow_mut().reap(now);
    }

    /// As `waf node-ctl status` shows it.
    pub fn control(&self) -> WithControl {
        self.standing.facts.control.borrow().clone().unwrap_or_default()
    }

    pub fn metrics(&self) -> String {
        self.standing.metrics.expose()
    }
}
