//! The look from the outside: each promise broken once, and found.

use super::*;
use crate::control::inventory::tests::six_nodes;
use crate::control::plan::tests::{Fleet, sheet};

type Break = fn(&mut Environment, &mut Site);

#[test]
fn every_broken_promise_is_found() {
    let table: [(&str, Break, &str); 14] = [
        ("nothing", |_, _| {}, ""),
        ("one carrier", |it, _| drop(it.placements.pop()), "environment 1 lies at 1 carriers, not at two"),
        (
            "too little",
            |it, _| it.placements[1].reserved.mbit_s -= 1,
            "environment 1 at carrier carrier-b: less than the peak is reserved",
        ),
        (
            "another carrier",
            |it, _| it.placements[1].carrier = Carrier::new("carrier-c").unwrap(),
            "environment 1: no node b1 at that carrier",
        ),
        (
            "no such node",
            |it, _| it.placements[1].node = NodeName::new("b9").unwrap(),
            "environment 1: no node b9 at that carrier",
        ),
        (
            "twice on a node",
            |it, _| it.placements.push(it.placements[0].clone()),
            "environment 1 has two placements on node a1",
        ),
        (
            "elsewhere",
            |it, _| {
                Arc::make_mut(&mut it.sheet).residency = crate::control::sheet::Residency::new("de").unwrap()
            },
            "environment 1: node a1 lies outside its residency",
        ),
        (
            "an address of another node",
            |it, _| it.placements[0].ipv4 = it.placements[1].ipv4,
            "environment 1: 10.11.0.0 is no such address of node a1",
        ),
        (
            "the shared address alone",
            |it, _| it.placements[0].ipv4 = "10.1.0.15".parse().unwrap(),
            "environment 1: 10.1.0.15 is no such address of node a1",
        ),
        (
            "a neighbour's address",
            |it, _| it.placements[0].ipv4 = "10.1.0.1".parse().unwrap(),
            "10.1.0.1 is that of environment 2 and of another",
        ),
        (
            "over the line",
            |it, _| it.placements[0].reserved.requests_s = 8_001,
            "node a1: 8,101 requests/s reserved",
        ),
        ("a site of nobody", |_, it| it.current = TenantId::new(9).unwrap(), "site 1.jp0 has an environment"),
        ("an orphan", |_, it| it.current = TenantId::new(9).unwrap(), "environment 1 serves no site"),
        ("a name of two", |_, it| it.names.push(it.names[0].clone()), "is that of two sites"),
    ];
    for (name, damage, expected) in table {
        let mut fleet =
            Fleet::new(six_nodes().into_iter().filter(|it| it.name.as_str().ends_with('1')).collect());
        fleet.serve(&sheet("1.jp0", 200));
        fleet.serve(&sheet("2.jp0", 100));
        let mut environments: Vec<Environment> =
            fleet.state.environments().values().map(|it| (**it).clone()).collect();
        let mut sites: Vec<Site> = fleet.state.sites().values().cloned().collect();
        damage(&mut environments[0], &mut sites[0]);
        let state = State::new(Revision(2), fleet.state.tenant_next(), sites, environments);
        let found: Vec<String> =
            state.violations(&fleet.inventory).iter().map(Violation::to_string).collect();
        assert_eq!(found.is_empty(), expected.is_empty(), "{name}: {found:?}");
        let expected = expected.replace("8,101", "8101");
        assert!(expected.is_empty() || found.iter().any(|it| it.contains(&expected)), "{name}: {found:?}");
    }
}

#[test]
fn numbers_not_yet_given_are_found() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet("1.jp0", 200));
    let environments = fleet.state.environments().values().map(|it| (**it).clone());
    let state = State::new(Revision(1), 1, fleet.state.sites().values().cloned(), environments);
    assert_eq!(state.violations(&fleet.inventory), [Violation::Number(TenantId::new(1).unwrap())]);
}
