//! Whatever is put, lifted and swept, at whichever process, while time goes: all processes come to the same bans, and so do
//! nodes, however long each did not listen.

use std::sync::Weak;

use proptest::prelude::*;

use super::node::Node;
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put { at: usize, place: usize, bans: Vec<(u32, u64)>, imported: bool },
    Lift { at: usize, place: usize, bans: Vec<u32> },
    OfNode { at: usize, tenant: u32, ban: u32, minutes: u64 },
    LiftOfNode { at: usize, tenant: u32, ban: u32 },
    Time { minutes: u64 },
    Sweep { at: usize },
    Hear { node: usize, at: usize },
    HearSome { node: usize, at: usize },
    Compact,
    OpenAgain { at: usize },
}

const BANS: u32 = 12;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (at, place, tenant, ban) = (0..2_usize, 0..3_usize, 1..4_u32, 0..BANS);
    let many = prop::collection::vec((ban.clone(), 0..20_u64), 1..30);
    let step = prop_oneof![
        4 => (at.clone(), place.clone(), many, any::<bool>())
            .prop_map(|(at, place, bans, imported)| Step::Put { at, place, bans, imported }),
        2 => (at.clone(), place, prop::collection::vec(ban.clone(), 1..5))
            .prop_map(|(at, place, bans)| Step::Lift { at, place, bans }),
        3 => (at.clone(), tenant.clone(), ban.clone(), 1..20_u64)
            .prop_map(|(at, tenant, ban, minutes)| Step::OfNode { at, tenant, ban, minutes }),
        1 => (at.clone(), tenant, ban).prop_map(|(at, tenant, ban)| Step::LiftOfNode { at, tenant, ban }),
        2 => (0..5_u64).prop_map(|minutes| Step::Time { minutes }),
        1 => at.clone().prop_map(|at| Step::Sweep { at }),
        4 => (0..3_usize, at.clone()).prop_map(|(node, at)| Step::Hear { node, at }),
        6 => (0..3_usize, at.clone()).prop_map(|(node, at)| Step::HearSome { node, at: at / 2 }),
        2 => (0..3_usize, at.clone()).prop_map(|(node, at)| Step::HearSome { node, at }),
        1 => Just(Step::Compact),
        1 => at.prop_map(|at| Step::OpenAgain { at }),
    ];
    prop::collection::vec(step, 1..40)
}

struct World {
    folder: Folder,
    store: Arc<dyn Store>,
    hands: Hands,
    books: Vec<Arc<BanBook>>,
    /// Opened again since; each still writes what nodes have told it.
    ending: Vec<Weak<BanBook>>,
    nodes: Vec<Node>,
    places: [Where; 3],
}

impl World {
    async fn new() -> Self {
        let folder = Folder::new("bans");
        let (store, hands) = (sqlite(&folder), Hands::new());
        let books = vec![open(&store, &hands).await, open(&store, &hands).await];
        let nodes = vec![Node::new([1]), Node::new([1, 2]), Node::new([3])];
        let places = [Where::Fleet, site("a.example.jp", &[1]), site("b.example.jp", &[2, 3])];
        Self { folder, store, hands, books, ending: Vec::new(), nodes, places }
    }

    async fn take(&mut self, step: Step) {
        let now = self.hands.now();
        match step {
            Step::Put { at, place, bans, imported } => {
                let bans = bans.into_iter().map(|(ban, minutes)| {
                    let expires = (minutes != 0).then_some(Wall(now.0 + minutes * MINUTE));
                    Making { prefix: numbered(ban), expires, reason: String::new(), imported }
                });
                let place = &self.places[place];
                self.books[at].put(place, bans.collect(), &operator(), now).await.unwrap();
            }
            Step::Lift { at, place, bans } => {
                let bans = bans.into_iter().map(numbered).collect();
                self.books[at].lift(&self.places[place], bans, &operator(), now).await.unwrap();
            }
            Step::OfNode { at, tenant, ban, minutes } => {
                let ban = of_rules(FleetScope::Tenant(tenant), numbered(ban), minutes);
                self.books[at].put_of_node(&name("a1"), ban, now).unwrap();
            }
            Step::LiftOfNode { at, tenant, ban } => {
                let lifted = Lifted { scope: FleetScope::Tenant(tenant), prefix: numbered(ban) };
                self.books[at].lift_of_node(&name("a1"), lifted).unwrap();
            }
            Step::Time { minutes } => self.hands.go(minutes * MINUTE),
            Step::Sweep { at } => drop(self.books[at].sweep(now).await.unwrap()),
            Step::Hear { node, at } => drop(self.nodes[node].hear(&self.books[at])),
            Step::HearSome { node, at } => self.nodes[node].hear_some(at, &self.books[at]),
            Step::Compact => {
                let latest = self.store.list(&Prefix::default()).await.unwrap().revision;
                self.store.compact(latest).await.unwrap();
            }
            Step::OpenAgain { at } => {
                let anew = open(&self.store, &self.hands).await;
                let before = std::mem::replace(&mut self.books[at], anew);
                self.ending.push(Arc::downgrade(&before));
            }
        }
    }

    /// What was opened again has written; a last ban through each process, behind all that it was told; then all have heard
    /// of all.
    async fn settle(&mut self) {
        let ended = async {
            while self.ending.iter().any(|book| book.strong_count() > 0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), ended).await.expect("ended in time");
        for (at, ban) in [(0, BANS), (1, BANS + 1)] {
            let ban = of_rules(FleetScope::Tenant(9), numbered(ban), 60);
            self.books[at].put_of_node(&name("a1"), ban, self.hands.now()).unwrap();
        }
        let last = [BANS, BANS + 1].map(|ban| (FleetScope::Tenant(9), numbered(ban)));
        for book in &self.books {
            until(book, |book| {
                let there = all(book);
                last.iter().all(|ban| there.contains_key(ban))
            })
            .await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_come_to_the_same_bans(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
            }
            world.settle().await;
            let there = all(&world.books[0]);
            assert_eq!(all(&world.books[1]), there, "the other process");
            assert_eq!(all(&*open(&world.store, &world.hands).await), there, "the store");
            let now = world.hands.now();
            for at in [0, 1] {
                for node in &mut world.nodes {
                    node.hear(&world.books[at]);
                    assert_eq!(node.holds(now), node.due(&world.books[at]), "{:?} at {at}", node.tenants);
                }
            }
            drop(world.folder);
        });
    }
}
