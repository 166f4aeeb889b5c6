//! A ban of one node reaches the others that it concerns, and no others.

use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::client::{Node, Stream};
use super::world::{World, operator};
use crate::control::bans::{Making, Where};
use crate::control::store::Folder;
use crate::model::sync::{BanKey, BanRecord, BanSource, FleetScope, Lifted, Up};
use crate::model::{Fqdn, TenantId, Wall};

const SITE: &str = "www0.example.jp";
const BANS: u8 = 200;

fn prefix(at: u8) -> IpNet {
    format!("203.0.113.{at}/32").parse().unwrap()
}

fn by_rules(tenant: u32, at: u8) -> BanRecord {
    let (scope, source) = (FleetScope::Tenant(tenant), BanSource::Rules);
    BanRecord { scope, prefix: prefix(at), source, left_ms: Some(600_000), reason: String::new() }
}

fn by_people(at: u8) -> Making {
    Making { prefix: prefix(at), expires: None, reason: "a test".to_owned(), imported: false }
}

async fn serving(world: &World, node: &str) -> (Node, Stream) {
    let mut node = Node::join(world, node).await;
    let mut stream = node.connect(world).await.unwrap();
    node.live(&mut stream, |it| it.served.is_some() && it.bans_seen != 0).await;
    (node, stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_at_one_node_is_at_the_other_within_a_second() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..2, 2).await;
    let (tenant, nodes) = (world.tenant_of(SITE), world.nodes_of(SITE));
    let (_one, mut to_one) = serving(&world, &nodes[0]).await;
    let (mut other, mut to_other) = serving(&world, &nodes[1]).await;
    let mut took = Vec::new();
    for at in 0..BANS {
        let (record, begun) = (by_rules(tenant, at), Instant::now());
        let key = record.key();
        to_one.say(&Up::Ban(record)).await;
        other.live(&mut to_other, |it| it.bans.contains_key(&key)).await;
        took.push(begun.elapsed());
        let left = other.bans[&key].left_ms.unwrap();
        assert!(left > 0 && left <= 600_000, "it ends there when it ends here: {left}");
    }
    took.sort();
    let (median, p99) = (took[100], took[197]);
    println!("{BANS} bans from node to node: median {median:?}, p99 {p99:?}");
    assert!(p99 < Duration::from_secs(1), "{p99:?}");
    to_one.say(&Up::Lift(Lifted { scope: FleetScope::Tenant(tenant), prefix: prefix(7) })).await;
    let lifted = BanKey { scope: FleetScope::Tenant(tenant), prefix: prefix(7) };
    other.live(&mut to_other, |it| !it.bans.contains_key(&lifted)).await;
    assert_eq!(other.bans.len(), usize::from(BANS) - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bans_survive_reconnects_and_only_the_difference_is_told() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..2, 2).await;
    let (tenant, nodes) = (world.tenant_of(SITE), world.nodes_of(SITE));
    let (_one, mut to_one) = serving(&world, &nodes[0]).await;
    let (mut other, mut to_other) = serving(&world, &nodes[1]).await;
    to_one.say(&Up::Ban(by_rules(tenant, 1))).await;
    other.live(&mut to_other, |it| it.bans.len() == 1).await;
    drop(to_other);
    // Its list is made to differ: what is told whole would mend it.
    other.bans.clear();
    to_one.say(&Up::Ban(by_rules(tenant, 2))).await;
    world.bans.put(&Where::Fleet, vec![by_people(3)], &operator(), Wall::now()).await.unwrap();
    let mut to_other = other.connect(&world).await.unwrap();
    other.live(&mut to_other, |it| it.bans.len() == 2).await;
    assert!(!other.bans.contains_key(&by_rules(tenant, 1).key()), "told once");
    // After its start a node has heard nothing.
    other.bans_seen = 0;
    let mut to_other = other.connect(&world).await.unwrap();
    other.live(&mut to_other, |it| it.bans.len() == 3).await;
    drop((to_one, to_other, world));
    let world = World::new(&folder).await;
    let mut to_other = other.connect(&world).await.unwrap();
    world.bans.lift(&Where::Fleet, vec![prefix(3)], &operator(), Wall::now()).await.unwrap();
    other.live(&mut to_other, |it| it.bans.len() == 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bans_of_a_tenant_come_with_it() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..1, 2).await;
    let nodes = world.nodes_of(SITE);
    let names = ["a1", "a2", "a3", "b1", "b2", "b3"];
    let mut streams = Vec::new();
    for name in names {
        streams.push(serving(&world, name).await);
    }
    let tenant = world.tenant_of(SITE);
    let (_, to_first) = streams.iter_mut().find(|(node, _)| node.name == nodes[0]).unwrap();
    to_first.say(&Up::Ban(by_rules(tenant, 1))).await;
    world.bans.put(&Where::Fleet, vec![by_people(2)], &operator(), Wall::now()).await.unwrap();
    for (node, stream) in &mut streams {
        let expected = if nodes.contains(&node.name) { 2 } else { 1 };
        let fleet = BanKey { scope: FleetScope::Fleet, prefix: prefix(2) };
        node.live(stream, |it| it.bans.contains_key(&fleet) && it.bans.len() == expected).await;
    }
    world.apply(1..2, 2).await;
    let site = "www1.example.jp";
    let (tenant, nodes) = (world.tenant_of(site), world.nodes_of(site));
    let key = BanKey { scope: FleetScope::Tenant(tenant), prefix: prefix(3) };
    // Made before any of its nodes serves it, for none has answered yet.
    let place = Where::Site(Fqdn::new(site).unwrap(), vec![TenantId::new(u64::from(tenant)).unwrap()]);
    world.bans.put(&place, vec![by_people(3)], &operator(), Wall::now()).await.unwrap();
    for (node, stream) in streams.iter_mut().filter(|(node, _)| nodes.contains(&node.name)) {
        node.live(stream, |it| it.serves(tenant) && it.bans.contains_key(&key) && it.bans_seen != 0).await;
        // What it knew of others is as it was.
        assert!(node.bans.len() >= 2, "{:?}", node.bans);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_bans_for_its_own_tenants_alone() {
    let folder = Folder::new("sync");
    let world = World::new(&folder).await;
    world.apply(0..1, 2).await;
    let (tenant, nodes) = (world.tenant_of(SITE), world.nodes_of(SITE));
    let idle = ["a1", "a2", "a3"].into_iter().find(|it| !nodes.contains(&(*it).into())).unwrap();
    let (_idle, mut to_idle) = serving(&world, idle).await;
    let (_one, mut to_one) = serving(&world, &nodes[0]).await;
    let (mut other, mut to_other) = serving(&world, &nodes[1]).await;
    to_idle.say(&Up::Ban(by_rules(tenant, 1))).await;
    to_idle.say(&Up::Ban(BanRecord { scope: FleetScope::Fleet, ..by_rules(tenant, 2) })).await;
    to_one.say(&Up::Ban(BanRecord { scope: FleetScope::Fleet, ..by_rules(tenant, 3) })).await;
    to_one.say(&Up::Ban(by_rules(tenant, 4))).await;
    to_one.say(&Up::Ban(by_rules(tenant, 6))).await;
    let key = |at| by_rules(tenant, at).key();
    other.live(&mut to_other, |it| it.bans.contains_key(&key(6))).await;
    to_idle.say(&Up::Lift(Lifted { scope: FleetScope::Tenant(tenant), prefix: prefix(6) })).await;
    // As soon as control has read what the idle one said.
    to_idle.status(true).await;
    world.stands(idle, |it| it.is_some_and(|it| it.is_ready)).await;
    to_one.say(&Up::Ban(by_rules(tenant, 5))).await;
    other.live(&mut to_other, |it| it.bans.contains_key(&by_rules(tenant, 5).key())).await;
    let there: Vec<BanKey> = other.bans.keys().copied().collect();
    assert_eq!(there, [key(4), key(5), key(6)]);
}
