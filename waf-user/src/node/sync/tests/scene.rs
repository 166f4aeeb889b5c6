//! A control process, the door to it, and machines that have joined.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

use super::door::Door;
use super::machine::{Machine, Running};
use crate::control::plan::tests::{NOW, serve, sheet};
use crate::control::store::{Folder, SqliteStore};
use crate::control::sync::tests::world::{DEADLINE, World, name, operator};
use crate::model::{Mode, Wall};

/// Addresses of all nodes that worlds have.
const PREFIXES: &str = "\"10.0.0.0/8\", \"2001:db8::/32\"";
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(2);
const TOKEN_LASTS: Duration = Duration::from_secs(60);
pub const SITE: &str = "www0.example.jp";

/// Runs a test with nodes in it.
pub fn play<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(2 * DEADLINE, test()).await.expect("the test ends in time");
    });
}

/// Waits until it is so.
pub async fn until(what: &str, is: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < DEADLINE, "not in time: {what}");
        tokio::time::sleep(LOOK).await;
    }
    begun.elapsed()
}

pub struct Scene {
    folder: Arc<Folder>,
    pub world: World,
    pub door: Door,
    process: Process,
}

/// Runs control, apart from the nodes; ends without waiting for anything.
struct Process(Option<Runtime>);

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Scene {
    pub async fn new() -> Self {
        Self::on(Arc::new(Folder::new("node")), Door::new().await).await
    }

    pub async fn token(&self, node: &str) -> String {
        let token = self.world.authority.token(&name(node), TOKEN_LASTS, Wall::now()).await.unwrap();
        token.expose().to_owned()
    }

    pub fn machine(&self, node: &str) -> Machine {
        Machine::new(node, self.door.port, PREFIXES)
    }

    pub async fn joined(&self, node: &str) -> Machine {
        let machine = self.machine(node);
        machine.join(&self.token(node).await).await.unwrap();
        machine
    }

    /// A site that needs no rules; its nodes.
    pub async fn apply(&self, fqdn: &str, requests_s: u64) -> Vec<String> {
        let mut sheet = sheet(fqdn, requests_s);
        sheet.options.mode = Mode::Block;
        let plan = self.world.ledger.plan(&[serve(&sheet)], NOW);
        assert_eq!(plan.refusals, []);
        self.world.ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap();
        self.world.nodes_of(fqdn)
    }

    /// The process dies: nothing is closed in order.
    pub fn kill(self) -> (Arc<Folder>, Door) {
        let Self { folder, world, door, process } = self;
        door.close();
        drop((world, process));
        (folder, door)
    }

    /// Another process on the same store, behind the same door.
    pub async fn again((folder, door): (Arc<Folder>, Door)) -> Self {
        // The store is locked until nothing of the process before is left.
        until("free", || SqliteStore::open(folder.path()).is_ok()).await;
        Self::on(folder, door).await
    }

    async fn on(folder: Arc<Folder>, door: Door) -> Self {
        let process = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let its_own = Arc::clone(&folder);
        let process = Process(Some(process));
        let world =
            process.0.as_ref().unwrap().spawn(async move { World::new(&its_own).await }).await.unwrap();
        door.open_to(world.address);
        Self { folder, world, door, process }
    }
}

/// Whether a node serves a name, and as the given generation where one is asked for.
pub fn serves(node: &Running, fqdn: &str) -> bool {
    node.sites().iter().any(|(name, _)| name == fqdn)
}
