//! A control process with its listener, in this one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::control::authority::Authority;
use crate::control::bans::BanBook;
use crate::control::inventory::tests::six_nodes;
use crate::control::ledger::{Actor, Applied, CustomerRecord, Ledger};
use crate::control::plan::tests::{NOW, customer, serve, sheet as site};
use crate::control::sheet::{self, Format};
use crate::control::store::{Folder, SqliteStore, Store};
use crate::control::sync::fleet::Fleet;
use crate::control::sync::kept::NodeStanding;
use crate::control::sync::limits::Times;
use crate::model::{Fqdn, NodeName, Wall};
use crate::secret::{KeyRing, Secret};

/// Nothing that goes well takes so long.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// One control process.
pub struct World {
    pub store: Arc<dyn Store>,
    pub ledger: Arc<Ledger>,
    pub authority: Arc<Authority>,
    pub bans: Arc<BanBook>,
    pub fleet: Arc<Fleet>,
    pub address: SocketAddr,
    /// The tasks of the process; they go with it.
    runtime: Option<Runtime>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

pub fn operator() -> Actor {
    Actor::Operator("ayumi".to_owned())
}

pub fn name(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

pub fn ring() -> Arc<KeyRing> {
    Arc::new(KeyRing::new(&Secret::new([7; 32]), &[]).unwrap())
}

impl World {
    /// With six nodes and a customer in an empty folder.
    pub async fn new(folder: &Folder) -> Self {
        Self::patient(folder, Times::default()).await
    }

    pub async fn patient(folder: &Folder, times: Times) -> Self {
        let end = Instant::now() + DEADLINE;
        // The tasks of one that was dropped let go of it in their own time.
        let store = loop {
            match SqliteStore::open(folder.path()) {
                Ok(store) => break store,
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            tokio::task::yield_now().await;
        };
        let store: Arc<dyn Store> = Arc::new(store);
        let world = Self::on(store, times).await;
        if world.ledger.view().customers.is_empty() {
            world.ledger.put_nodes(six_nodes(), &operator(), NOW).await.unwrap();
            let record = CustomerRecord { name: customer(), note: String::new(), since: NOW };
            world.ledger.put_customer(&record, &operator(), NOW).await.unwrap();
        }
        world
    }

    /// One more process on a store.
    pub async fn on(store: Arc<dyn Store>, times: Times) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut world = runtime.spawn(Self::within(store, times)).await.unwrap();
        world.runtime = Some(runtime);
        world
    }

    async fn within(store: Arc<dyn Store>, times: Times) -> Self {
        let zone = Fqdn::new("edge.example.net").unwrap();
        let ledger = Ledger::open(Arc::clone(&store), ring(), zone).await.unwrap();
        let authority = Authority::open(Arc::clone(&store), &ring(), Wall::now()).await.unwrap();
        let (authority, bans) = (Arc::new(authority), BanBook::open(Arc::clone(&store)).await.unwrap());
        let parts = (Arc::clone(&store), Arc::clone(&ledger), Arc::clone(&authority), Arc::clone(&bans));
        let fleet = Arc::new(Fleet::with_times(parts, times));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&fleet);
        tokio::spawn(async move {
            served.serve(listener, std::future::pending()).await.unwrap();
        });
        Self { store, ledger, authority, bans, fleet, address, runtime: None }
    }

    /// Sites of so many requests a second, applied at once.
    pub async fn apply(&self, sites: impl IntoIterator<Item = usize>, requests_s: u64) -> Applied {
        let wishes: Vec<_> =
            sites.into_iter().map(|at| serve(&site(&format!("www{at}.example.jp"), requests_s))).collect();
        let plan = self.ledger.plan(&wishes, NOW);
        assert_eq!(plan.refusals, []);
        self.ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap()
    }

    /// A site with a certificate; its fingerprint, chain and key.
    pub async fn apply_tls(&self, fqdn: &str) -> ([u8; 32], String, String) {
        let (chain, key) = crate::tls::fixtures::Authority::new().issue(&[fqdn]);
        let text = serde_json::json!({
            "fqdn": fqdn, "origins": ["http://192.0.2.20"], "tls": { "chain": chain, "key": key },
            "peak": { "requests_s": 2, "mbit_s": 1, "handshakes_s": 1 },
        });
        let submission = sheet::parse(&text.to_string(), Format::Json, NOW).unwrap();
        let upload = submission.upload.unwrap();
        let fingerprint = upload.certificate.fingerprint;
        let plan = self.ledger.plan(&[serve(&submission.sheet)], NOW);
        let uploads = vec![(submission.sheet.fqdn.clone(), upload)];
        self.ledger.apply(&plan, uploads, &operator(), NOW).await.unwrap();
        (fingerprint, chain, key)
    }

    /// Nodes that serve a site, in the order of their names.
    pub fn nodes_of(&self, fqdn: &str) -> Vec<String> {
        let view = self.ledger.view();
        let site = &view.state.sites()[&Fqdn::new(fqdn).unwrap()];
        let environment = view.state.environment(site.current).unwrap();
        let mut nodes: Vec<String> = environment.placements.iter().map(|it| it.node.to_string()).collect();
        nodes.sort();
        nodes
    }

    pub fn tenant_of(&self, fqdn: &str) -> u32 {
        self.ledger.view().state.sites()[&Fqdn::new(fqdn).unwrap()].current.number()
    }

    /// Waits until a node stands so.
    pub async fn stands(&self, node: &str, is: impl Fn(Option<NodeStanding>) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !is(self.fleet.standing(&name(node))) {
            assert!(Instant::now() < end, "{node}: {:?}", self.fleet.standing(&name(node)));
            tokio::task::yield_now().await;
        }
    }
}
