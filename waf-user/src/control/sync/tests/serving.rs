//! What nodes are sent, when they are to serve it, and how they come back.

use std::time::{Duration, Instant};

use super::client::{Node, Stream};
use super::world::{DEADLINE, World, name, operator};
use crate::control::plan::tests::NOW;
use crate::control::store::Folder;
use crate::control::sync::document::document_of;
use crate::control::sync::limits::Times;
use crate::model::sync::{Bans, Down, NodeDocument, Up, signing};

const SITE: &str = "www0.example.jp";

fn expected(world: &World, node: &str) -> NodeDocument {
    let view = world.ledger.view();
    document_of(&name(node), &view.state, &view.inventory).unwrap()
}

/// The nodes that serve the first site, connected and up to date.
async fn two(world: &World) -> [(Node, Stream); 2] {
    let nodes = world.nodes_of(SITE);
    let mut both = Vec::new();
    for node in &nodes {
        let mut node = Node::join(world, node).await;
        let mut stream = node.connect(world).await.unwrap();
        node.live(&mut stream, |it| it.served.is_some()).await;
        both.push((node, stream));
    }
    both.try_into().ok().unwrap()
}

/// The next document, answered; and its generation.
async fn staged(node: &mut Node, stream: &mut Stream) -> u64 {
    loop {
        let down = stream.hear().await.unwrap();
        if matches!(down, Down::Activate { .. }) {
            panic!("{}: nothing is staged yet", node.name);
        }
        if let Some(up) = node.follow(down) {
            stream.say(&up).await;
            if let Up::Staged { generation } = up {
                return generation;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_stage_then_all_serve() {
    let folder = Folder::new("sync");
    let world = World::patient(&folder, Times { staged: DEADLINE, ..Times::default() }).await;
    world.apply([0], 2).await;
    let [(mut one, mut to_one), (mut other, mut to_other)] = two(&world).await;
    for requests_s in [3, 4] {
        let revision = world.apply([0], requests_s).await.revision.0;
        assert_eq!(staged(&mut one, &mut to_one).await, revision);
        // The first one has staged it and still waits, for the other has not.
        world.stands(&one.name, |it| it.is_some_and(|it| it.target == revision && !it.is_current)).await;
        assert!(world.fleet.go() < revision);
        assert_eq!(staged(&mut other, &mut to_other).await, revision);
        one.live(&mut to_one, |it| it.served.as_ref().unwrap().0 == revision).await;
        other.live(&mut to_other, |it| it.served.as_ref().unwrap().0 == revision).await;
        for node in [&one, &other] {
            world
                .stands(&node.name, |it| it.is_some_and(|it| it.is_current && it.generation == revision))
                .await;
            assert_eq!(node.served.as_ref().unwrap().1, expected(&world, &node.name));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_two_control_processes_stage_then_serve() {
    let folder = Folder::new("sync");
    let times = Times { staged: DEADLINE, ..Times::default() };
    let world = World::patient(&folder, times).await;
    let beside = World::on(world.store.clone(), times).await;
    world.apply([0], 2).await;
    let nodes = world.nodes_of(SITE);
    let (mut one, mut other) = (Node::join(&world, &nodes[0]).await, Node::join(&world, &nodes[1]).await);
    let mut to_one = one.connect(&world).await.unwrap();
    let mut to_other = other.connect(&beside).await.unwrap();
    one.live(&mut to_one, |it| it.served.is_some()).await;
    other.live(&mut to_other, |it| it.served.is_some()).await;
    beside.stands(&one.name, |it| it.is_some_and(|it| it.is_current)).await;
    world.stands(&other.name, |it| it.is_some_and(|it| it.is_current)).await;
    for requests_s in [3, 4] {
        let revision = world.apply([0], requests_s).await.revision.0;
        assert_eq!(staged(&mut one, &mut to_one).await, revision);
        beside.stands(&one.name, |it| it.is_some_and(|it| it.staged == revision)).await;
        assert!(world.fleet.go() < revision && beside.fleet.go() < revision);
        assert_eq!(staged(&mut other, &mut to_other).await, revision);
        one.live(&mut to_one, |it| it.served.as_ref().unwrap().0 == revision).await;
        other.live(&mut to_other, |it| it.served.as_ref().unwrap().0 == revision).await;
        // Both know it before the next one.
        beside.stands(&one.name, |it| it.is_some_and(|it| it.is_current && it.target == revision)).await;
        world.stands(&other.name, |it| it.is_some_and(|it| it.is_current && it.target == revision)).await;
    }
    // A process that is gone is waited for no longer than its lease.
    drop((to_other, beside));
    world.stands(&other.name, |it| it.is_none()).await;
    let revision = world.apply([0], 5).await.revision.0;
    one.live(&mut to_one, |it| it.served.as_ref().unwrap().0 == revision).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_stage_holds_nobody_up_for_long() {
    let folder = Folder::new("sync");
    let world =
        World::patient(&folder, Times { staged: Duration::from_millis(200), ..Times::default() }).await;
    world.apply([0], 2).await;
    let [(mut one, mut to_one), (mut other, mut to_other)] = two(&world).await;
    let revision = world.apply([0], 3).await.revision.0;
    one.live(&mut to_one, |it| it.served.as_ref().unwrap().0 == revision).await;
    world.stands(&other.name, |it| it.is_some_and(|it| !it.is_current && it.target == revision)).await;
    assert_eq!(staged(&mut other, &mut to_other).await, revision);
    other.live(&mut to_other, |it| it.served.as_ref().unwrap().0 == revision).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_document_is_shown_and_holds_nobody_up() {
    let folder = Folder::new("sync");
    let world = World::patient(&folder, Times { staged: DEADLINE, ..Times::default() }).await;
    world.apply([0], 2).await;
    let [(mut one, mut to_one), (other, mut to_other)] = two(&world).await;
    let revision = world.apply([0], 3).await.revision.0;
    let is_told = |why: &Option<String>| why.as_deref() == Some("no room");
    // Said before the document has come it is about nothing.
    while !matches!(to_other.hear().await.unwrap(), Down::Snapshot(_) | Down::Delta(_)) {}
    to_other.say(&Up::Refused { generation: revision, why: "no room".to_owned() }).await;
    one.live(&mut to_one, |it| it.served.as_ref().unwrap().0 == revision).await;
    world.stands(&other.name, |it| it.is_some_and(|it| is_told(&it.refused) && !it.is_current)).await;
    // What comes next is tried.
    let revision = world.apply([0], 4).await.revision.0;
    world.stands(&other.name, |it| it.is_some_and(|it| it.refused.is_none() && it.target == revision)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_end_as_the_whole_would_be() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..40, 2).await;
    let mut node = Node::join(&world, &world.nodes_of(SITE)[0]).await;
    let mut stream = node.connect(&world).await.unwrap();
    node.live(&mut stream, |it| it.served.is_some()).await;
    assert_eq!((node.snapshots, node.deltas), (1, 0), "nothing is known of it: the whole");
    let mut seed = 7_usize;
    for round in 0..12 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let sites = (0..4).map(|at| (seed >> (8 * at)) % (40 + round));
        let sites: std::collections::BTreeSet<usize> = sites.collect();
        world.apply(sites.into_iter().chain([0]), 3 + round as u64).await;
        let now = expected(&world, &node.name);
        node.live(&mut stream, |it| it.served.as_ref().unwrap().1 == now).await;
    }
    assert!(node.deltas >= 10 && node.snapshots == 1, "{} {}", node.deltas, node.snapshots);
    // A node that has nothing gets the same as the one that heard all changes.
    let mut fresh = Node::join(&world, &node.name).await;
    let mut again = fresh.connect(&world).await.unwrap();
    fresh.live(&mut again, |it| it.served.is_some()).await;
    assert_eq!(fresh.served.unwrap().1.to_text(), node.served.unwrap().1.to_text());
    assert_eq!(stream.last_word().await.as_deref(), Some("this node has opened another stream"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_does_not_fit_is_followed_by_the_whole() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..20, 2).await;
    let mut node = Node::join(&world, &world.nodes_of(SITE)[0]).await;
    let mut stream = node.connect(&world).await.unwrap();
    node.live(&mut stream, |it| it.served.is_some()).await;
    let (tenant, served) = (world.tenant_of(SITE), node.served.clone().unwrap());
    let mut spoilt = served.clone();
    spoilt.1.tenants.retain(|it| it.tenant != tenant);
    node.served = Some(spoilt);
    world.apply([0], 3).await;
    let now = expected(&world, &node.name);
    node.live(&mut stream, |it| it.served.as_ref().unwrap().1 == now).await;
    assert_eq!((node.deltas, node.snapshots), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_changed_nothing_is_sent() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply([0], 2).await;
    let nodes = world.nodes_of(SITE);
    let (served, others) = (nodes[0].clone(), ["a1", "a2", "a3"].map(str::to_owned));
    let idle = others.into_iter().find(|it| !nodes.contains(it)).unwrap();
    let mut node = Node::join(&world, &idle).await;
    let mut stream = node.connect(&world).await.unwrap();
    node.live(&mut stream, |it| it.served.is_some()).await;
    let (before, snapshots) = (node.served.clone(), node.snapshots);
    let revision = world.apply([0], 3).await.revision.0;
    let mut other = Node::join(&world, &served).await;
    let mut to_other = other.connect(&world).await.unwrap();
    other.live(&mut to_other, |it| it.served.as_ref().is_some_and(|it| it.0 == revision)).await;
    drop(stream);
    // It has the document of an earlier generation, whose hash is the same.
    let mut stream = node.connect(&world).await.unwrap();
    world.stands(&idle, |it| it.is_some_and(|it| it.is_current && it.generation < revision)).await;
    world.apply([0], 4).await;
    // Its capacity is the first thing that changes for it.
    let mut known = world.ledger.view().inventory.node(&name(&idle)).unwrap().clone();
    known.capacity.requests_s += 1;
    let changed = world.ledger.put_nodes(vec![known], &operator(), NOW).await.unwrap().revision.0;
    let heard = loop {
        match stream.hear().await.unwrap() {
            Down::Bans(Bans { .. }) => {}
            other => break other,
        }
    };
    assert_eq!((node.served.clone(), node.snapshots), (before, snapshots));
    let Down::Delta(delta) = heard else { panic!("{heard:?}") };
    assert_eq!((delta.generation, delta.put.len(), delta.removed.len()), (changed, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_go_to_those_who_serve_them() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let (fingerprint, chain, key) = world.apply_tls(SITE).await;
    let digits = signing::digits(&fingerprint);
    let nodes = world.nodes_of(SITE);
    let mut node = Node::join(&world, &nodes[0]).await;
    let mut stream = node.connect(&world).await.unwrap();
    let mut given = Vec::new();
    while node.served.is_none() {
        let down = stream.hear().await.unwrap();
        if let Down::Certificate(it) = &down {
            given.push((it.fingerprint.clone(), it.chain.clone(), it.key.expose().to_owned()));
        }
        if let Some(up) = node.follow(down) {
            stream.say(&up).await;
        }
    }
    assert_eq!(given, [(digits.clone(), chain, key)]);
    let others = ["a1", "a2", "a3", "b1", "b2", "b3"].into_iter().filter(|it| !nodes.contains(&(*it).into()));
    for other in others {
        let other = Node::join(&world, other).await;
        let mut stream = other.connect(&world).await.unwrap();
        stream.say(&Up::Want { certificates: vec![digits.clone()] }).await;
        let said = loop {
            match stream.hear().await.unwrap() {
                Down::Refused { error } => break error,
                Down::Certificate(_) => panic!("{} got the key", other.name),
                _ => {}
            }
        };
        assert!(said.contains("not of the document sent to it"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_come_to_the_same_after_control_was_dead() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..30, 2).await;
    let [(mut one, mut to_one), (mut other, mut to_other)] = two(&world).await;
    assert_eq!(to_one.hear_nothing_more(&mut one).await, 0);
    drop((to_other, world));
    assert_eq!(to_one.last_word().await, None, "the stream is gone, what was served is served on");
    let world = World::new(&folder).await;
    let revision = world.apply([0, 5, 31], 3).await.revision.0;
    let begun = Instant::now();
    to_one = one.connect(&world).await.unwrap();
    to_other = other.connect(&world).await.unwrap();
    let (now_one, now_other) = (expected(&world, &one.name), expected(&world, &other.name));
    let is = |now: NodeDocument| move |it: &Node| it.served.as_ref().is_some_and(|it| it.1 == now);
    tokio::join!(one.live(&mut to_one, is(now_one)), other.live(&mut to_other, is(now_other)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    world.stands(&one.name, |it| it.is_some_and(|it| it.is_current && it.generation == revision)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_later_revision_is_sent_nothing_until_ours_has_passed_it() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let revision = world.apply([0], 2).await.revision.0;
    let mut node = Node::join(&world, &world.nodes_of(SITE)[0]).await;
    let served = NodeDocument { node: node.name.clone(), ..NodeDocument::default() };
    node.served = Some((revision + 2, served));
    let mut stream = node.connect(&world).await.unwrap();
    world.stands(&node.name, |it| it.is_some_and(|it| it.is_ahead && !it.is_current)).await;
    for requests_s in [3, 4] {
        world.apply([0], requests_s).await;
    }
    let now = expected(&world, &node.name);
    node.live(&mut stream, |it| it.served.as_ref().unwrap().1 == now).await;
    assert_eq!(node.served.unwrap().0, revision + 2, "never an earlier one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_control_processes_know_how_nodes_are() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    let other = World::on(world.store.clone(), Times::default()).await;
    world.apply([0], 2).await;
    let mut node = Node::join(&other, &world.nodes_of(SITE)[0]).await;
    let mut stream = node.connect(&world).await.unwrap();
    node.live(&mut stream, |it| it.served.is_some()).await;
    stream.status(true).await;
    other.stands(&node.name, |it| it.is_some_and(|it| it.is_current && it.is_ready)).await;
    assert_eq!(other.fleet.standing(&name(&node.name)), world.fleet.standing(&name(&node.name)));
    // It goes over to the other one.
    let third = World::on(world.store.clone(), Times::default()).await;
    let mut again = node.connect(&other).await.unwrap();
    again.status(false).await;
    other.stands(&node.name, |it| it.is_some_and(|it| !it.is_ready)).await;
    third.stands(&node.name, |it| it.is_some_and(|it| !it.is_ready)).await;
    let standing = third.fleet.standing(&name(&node.name));
    // What the older stream still says is not the word that others hear, and its end takes nothing away.
    for is_ready in [false, true, false, true] {
        stream.status(is_ready).await;
        world.stands(&node.name, |it| it.is_some_and(|it| it.is_ready == is_ready)).await;
    }
    drop(stream);
    world.stands(&node.name, |it| it == standing).await;
    again.status(true).await;
    for world in [&world, &third] {
        world.stands(&node.name, |it| it.is_some_and(|it| it.is_ready)).await;
    }
    drop(again);
    for world in [&world, &other, &third] {
        world.stands(&node.name, |it| it.is_none()).await;
    }
}
