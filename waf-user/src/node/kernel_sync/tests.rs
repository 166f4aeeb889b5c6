//! The order of writes, and which entries of an earlier run are adopted.

use std::os::fd::AsFd;

use ipnet::IpNet;
use waf_common::block::scope_address;

use super::*;
use crate::node::tests::{Tables, configured, id, net};

fn entry(scope: u32, prefix: &str, reason: Reason, expires_s: u32) -> BlockEntry {
    BlockEntry { scope, prefix: net(prefix), reason, tenant: 0, expires_s }
}

#[test]
fn services_are_written_last_and_sockets_first() {
    let (settings, config) = configured("workers = 2");
    let plan = ServicePlan::new(&config, 2, &[]);
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let workers = [(socket.as_fd(), Some(0)), (socket.as_fd(), None)];
    let filter = Tables::default();
    let sync = Sync { settings: &settings, config: &config, plan: &plan, generation: Generation(1) };
    write_sockets(&filter, &workers).unwrap();
    sync.write_lists(&filter, &[]).unwrap();
    sync.write_services(&filter).unwrap();
    let expected = ["socket", "cpu", "socket", "workers", "allow", "lists", "config", "services"];
    assert_eq!(*filter.steps.borrow(), expected);
    let lists: Vec<(u32, IpNet)> = filter.blocks().iter().map(|entry| (entry.scope, entry.prefix)).collect();
    assert_eq!(lists, [(0, net("198.51.100.0/24")), (1, net("198.51.100.7"))]);
}

#[test]
fn allow_entries_come_before_blocks_and_leave_after_them() {
    let (settings, config) = configured("");
    let plan = ServicePlan::new(&config, 1, &[]);
    let sync = Sync { settings: &settings, config: &config, plan: &plan, generation: Generation(1) };
    let gone = AllowEntry { scope: 0, prefix: net("192.0.2.9") };
    let held = allow_entries(&config);
    let table = [("nothing leaves", held.clone(), 1), ("one leaves", [held, vec![gone]].concat(), 2)];
    for (name, allowed, writes) in table {
        let filter = Tables::default();
        sync.write_lists(&filter, &allowed).unwrap();
        let steps = filter.steps.borrow();
        let of = |step| steps.iter().enumerate().filter(move |(_, found)| **found == step).map(|(at, _)| at);
        let (allows, lists): (Vec<usize>, Vec<usize>) = (of("allow").collect(), of("lists").collect());
        assert_eq!((allows.len(), lists.len()), (writes, 1), "{name}");
        assert!(allows[0] < lists[0] && (writes == 1 || lists[0] < allows[1]), "{name}: {steps:?}");
    }
}

#[test]
fn only_bans_that_still_mean_something_are_adopted() {
    let (_, mut config) = configured("");
    config.tenants[1].mode = Mode::Detect;
    let plan = ServicePlan::new(&config, 1, &[]);
    let now = Mono::default().plus_s(100);
    let shared = plan.scope_number(BanScope::Address("10.1.0.10".parse().unwrap())).unwrap();
    let own = plan.scope_number(BanScope::Address("10.1.0.11".parse().unwrap())).unwrap();
    /// Whether an entry is adopted, stale, or neither.
    #[derive(Debug, PartialEq)]
    enum Fate {
        Adopted,
        Stale,
        Left,
    }
    let table = [
        ("a live ban", entry(1, "192.0.2.1", Reason::Ban, 101), Fate::Adopted),
        ("one that ends now", entry(1, "192.0.2.1", Reason::Ban, 100), Fate::Stale),
        ("an operator's without end", entry(0, "192.0.2.1", Reason::Operator, 0), Fate::Adopted),
        ("a tenant that is gone", entry(9, "192.0.2.1", Reason::Ban, 0), Fate::Stale),
        ("an address that is gone", entry(scope_address(99), "192.0.2.1", Reason::Operator, 0), Fate::Stale),
        ("a tenant now in detect mode", entry(2, "192.0.2.1", Reason::Ban, 0), Fate::Stale),
        ("its operator's ban", entry(2, "192.0.2.1", Reason::Operator, 0), Fate::Adopted),
        ("the address it shares", entry(shared, "192.0.2.1", Reason::Ban, 0), Fate::Stale),
        ("another address", entry(own, "192.0.2.1", Reason::Ban, 0), Fate::Adopted),
        ("the whole node by rules", entry(0, "192.0.2.1", Reason::Ban, 0), Fate::Stale),
        ("a list", entry(0, "192.0.2.1", Reason::List, 0), Fate::Left),
        ("an import", entry(0, "192.0.2.1", Reason::Import, 0), Fate::Adopted),
    ];
    for (name, entry, expected) in table {
        let fate = match adopt(&[entry], &plan, &config, now) {
            (adopted, stale) if adopted.len() == 1 && stale.is_empty() => Fate::Adopted,
            (adopted, stale) if stale.len() == 1 && adopted.is_empty() => Fate::Stale,
            _ => Fate::Left,
        };
        assert_eq!(fate, expected, "{name}");
    }
}

#[test]
fn a_ban_survives_the_way_through_the_kernel() {
    let (_, config) = configured("");
    let plan = ServicePlan::new(&config, 1, &[]);
    for (expires, origin) in
        [(None, BanOrigin::Operator), (Some(Mono::default().plus_s(7)), BanOrigin::Rules)]
    {
        let ban = Ban {
            scope: BanScope::Tenant(id(1)),
            prefix: net("192.0.2.1"),
            origin,
            tenant: Some(id(1)),
            expires,
        };
        let entry = block_entry(&ban, &plan).unwrap();
        assert_eq!(adopt(&[entry], &plan, &config, Mono(0)).0, [ban]);
    }
    let gone = Ban {
        scope: BanScope::Address("10.9.9.9".parse().unwrap()),
        prefix: net("192.0.2.1"),
        origin: BanOrigin::Operator,
        tenant: None,
        expires: None,
    };
    assert_eq!(block_entry(&gone, &plan), None);
}
