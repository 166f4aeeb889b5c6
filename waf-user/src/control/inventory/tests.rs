//! Pools, prefixes and fleets, good and bad.

use std::net::Ipv4Addr;

use super::*;
use crate::control::inventory::pool::PoolError;

/// A node of `10.<number>.0.0/28`, `2001:db8:<number>::/64`, with a round capacity.
pub fn node(name: &str, carrier: &str, number: u8) -> Node {
    Node {
        name: NodeName::new(name).unwrap(),
        carrier: Carrier::new(carrier).unwrap(),
        region: Region(format!("{carrier}-tokyo")),
        residency: Residency::JP,
        capacity: Rates { requests_s: 10_000, mbit_s: 10_000, handshakes_s: 10_000 },
        ipv4: pool(&[&format!("10.{number}.0.0/28")]),
        ipv6: Some(format!("2001:db8:{number}::/64").parse().unwrap()),
        sources: vec![IpAddr::V4(Ipv4Addr::new(198, 51, 100, number))],
        state: NodeState::Active,
    }
}

/// Three nodes at each of two carriers: a1, a2, a3, b1, b2, b3.
pub fn six_nodes() -> Vec<Node> {
    let node = |(carrier, number): (&str, u8)| {
        let base = if carrier == "a" { 0 } else { 10 };
        node(&format!("{carrier}{number}"), &format!("carrier-{carrier}"), base + number)
    };
    [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3)].map(node).into()
}

pub fn pool(networks: &[&str]) -> Pool {
    Pool::new(networks.iter().map(|network| network.parse().unwrap()).collect()).unwrap()
}

#[test]
fn the_last_address_of_a_pool_is_shared() {
    type Row = (&'static str, &'static [&'static str], u64, Option<&'static str>, Option<&'static str>);
    let table: [Row; 5] = [
        ("nothing", &[], 0, None, None),
        ("one address", &["192.0.2.7/32"], 0, None, Some("192.0.2.7")),
        ("two", &["192.0.2.6/31"], 1, Some("192.0.2.6"), Some("192.0.2.7")),
        ("two networks", &["192.0.2.16/30", "192.0.2.0/32"], 4, Some("192.0.2.18"), Some("192.0.2.19")),
        ("last network alone", &["192.0.2.0/31", "192.0.2.9/32"], 2, Some("192.0.2.1"), Some("192.0.2.9")),
    ];
    for (name, networks, own_len, last_own, shared) in table {
        let pool = pool(networks);
        assert_eq!(pool.own_len(), own_len, "{name}");
        assert_eq!(pool.own().count() as u64, own_len, "{name}");
        assert_eq!(pool.own().last(), last_own.map(|text| text.parse().unwrap()), "{name}");
        assert_eq!(pool.shared(), shared.map(|text| text.parse().unwrap()), "{name}");
        assert!(pool.own().chain(pool.shared()).all(|address| pool.contains(address)), "{name}");
    }
}

#[test]
fn pools_have_bounds() {
    let new = |networks: &[&str]| Pool::new(networks.iter().map(|it| it.parse().unwrap()).collect());
    assert!(new(&["10.0.0.0/20"]).is_ok());
    assert_eq!(new(&["10.0.0.0/20", "192.0.2.1/32"]).unwrap_err(), PoolError::Length(4097));
    assert!(matches!(new(&["10.0.0.1/20"]).unwrap_err(), PoolError::HostBits(_)));
    assert!(matches!(new(&["10.0.0.0/24", "10.0.0.128/25"]).unwrap_err(), PoolError::Overlap(_)));
    assert!(matches!(new(&["10.0.0.0/24", "10.0.0.0/24"]).unwrap_err(), PoolError::Overlap(_)));
    assert!(matches!(new(&["0.0.0.0/0"]).unwrap_err(), PoolError::Length(_)));
}

#[test]
fn the_order_of_nodes_makes_no_difference() {
    let mut nodes = six_nodes();
    let inventory = Inventory::new(nodes.clone()).unwrap();
    nodes.reverse();
    assert_eq!(Inventory::new(nodes).unwrap(), inventory);
    let carriers: Vec<&str> = inventory.carriers().iter().map(Carrier::as_str).collect();
    assert_eq!(carriers, ["carrier-a", "carrier-b"]);
    assert_eq!(inventory.with_carriers().map(|(carrier, _)| carrier).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
}

#[test]
fn all_errors_of_a_fleet_come_at_once() {
    let mut nodes = six_nodes();
    nodes[0].capacity.mbit_s = 0;
    nodes[1].capacity.handshakes_s = RATE_MAX + 1;
    nodes[1].ipv4 = Pool::default();
    nodes[2].ipv6 = Some("2001:db8:3::/97".parse().unwrap());
    nodes[2].sources.clear();
    nodes[3].region = Region(String::new());
    nodes[4].name = nodes[5].name.clone();
    nodes[5].ipv4 = pool(&["10.1.0.4/30"]);
    let errors: Vec<String> =
        Inventory::new(nodes).unwrap_err().iter().map(InventoryError::to_string).collect();
    let expected = [
        "node a1: capacity of 0 Mbit/s is outside 1..1000000000; measure it with waf bench capacity",
        "node a2: capacity of 1000000001 TLS handshakes/s is outside 1..1000000000; measure it with waf bench capacity",
        "node a2 has no IPv4 address; every site needs one on it",
        "node a3: 2001:db8:3::/97 is longer than /96 and has not an address for every environment",
        "node a3 needs 1 to 16 source addresses; customers open their firewalls for them",
        "node b1: a region's name has 1 to 64 characters",
        "node b3 is there twice",
        "nodes a1 and b3 both have 10.1.0.4/30",
    ];
    assert_eq!(errors, expected);
}

#[test]
fn every_environment_has_an_ipv6_address() {
    let node = node("a1", "carrier-a", 1);
    let address = |number| node.ipv6_of(TenantId::new(number).unwrap()).unwrap().to_string();
    assert_eq!(address(1), "2001:db8:1::1");
    assert_eq!(address((1 << 31) - 1), "2001:db8:1::7fff:ffff");
}

#[test]
fn a_source_serves_no_site() {
    let table = [
        ("198.51.100.1", None),
        ("10.1.0.15", Some("10.1.0.0/28")),
        ("10.1.0.16", None),
        ("2001:db8:1::7", Some("2001:db8:1::/64")),
        ("2001:db8:1:1::7", None),
    ];
    for (source, expected) in table {
        let sources = vec!["198.51.100.2".parse().unwrap(), source.parse().unwrap()];
        let node = Node { sources, ..node("a1", "carrier-a", 1) };
        let found =
            node.source_that_serves().map(|(source, prefix)| (source.to_string(), prefix.to_string()));
        assert_eq!(found, expected.map(|prefix| (source.to_owned(), prefix.to_owned())));
        assert!(Inventory::new(vec![node]).is_ok(), "what stands in a store is read");
    }
}
