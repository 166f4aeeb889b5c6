//! How long the n-th ban of a source lasts, and what the table forgets.

use std::net::Ipv4Addr;

use super::*;
use crate::node::tests::net;

fn policy(ttl_s: u32, ttl_growth: f64, ttl_max_s: u32) -> BanPolicy {
    BanPolicy { ttl_s, ttl_growth, ttl_max_s, ..BanPolicy::default() }
}

#[test]
fn each_ban_is_longer_up_to_the_most() {
    let table = [
        ("doubling", policy(600, 2.0, 86_400), vec![600, 1200, 2400, 4800]),
        ("up to the most", policy(40_000, 2.0, 86_400), vec![40_000, 80_000, 86_400, 86_400]),
        ("no growth", policy(600, 1.0, 86_400), vec![600, 600, 600]),
        ("a broken factor", policy(10, 1.5, 100), vec![10, 15, 22, 33]),
        ("the most at once", policy(600, 100.0, 600), vec![600, 600]),
    ];
    for (name, policy, expected) in table {
        let mut repeaters = Repeaters::default();
        let ttls: Vec<u32> = expected
            .iter()
            .map(|_| repeaters.next_ttl_s(BanScope::Node, net("192.0.2.1"), &policy, Mono(1)))
            .collect();
        assert_eq!(ttls, expected, "{name}");
    }
    let mut repeaters = Repeaters::default();
    let steep = policy(1, 100.0, u32::MAX / 4);
    let longest = (0..200).map(|_| repeaters.next_ttl_s(BanScope::Node, net("192.0.2.1"), &steep, Mono(1)));
    assert_eq!(longest.last(), Some(u32::MAX / 4), "no overflow however often");
}

#[test]
fn who_keeps_quiet_as_long_as_the_longest_ban_is_forgotten() {
    let policy = policy(10, 2.0, 100);
    let at = |second| Mono::default().plus_s(second);
    let table = [("just before", 109, 20), ("then", 110, 10)];
    for (name, second, expected) in table {
        let mut repeaters = Repeaters::default();
        repeaters.next_ttl_s(BanScope::Node, net("192.0.2.1"), &policy, at(0));
        let ttl_s = repeaters.next_ttl_s(BanScope::Node, net("192.0.2.1"), &policy, at(second));
        assert_eq!(ttl_s, expected, "{name}");
    }
    let mut repeaters = Repeaters::default();
    repeaters.next_ttl_s(BanScope::Node, net("192.0.2.1"), &policy, at(0));
    repeaters.forgive(BanScope::Node, net("192.0.2.1"));
    assert_eq!(repeaters.next_ttl_s(BanScope::Node, net("192.0.2.1"), &policy, at(1)), 10, "forgiven");
}

#[test]
fn the_table_is_bounded_and_recovers() {
    let policy = policy(10, 2.0, 100);
    let mut repeaters = Repeaters::default();
    let source = |number: u32| IpNet::from(std::net::IpAddr::from(Ipv4Addr::from(0x0b00_0000 + number)));
    for number in 0..REPEATERS_MAX as u32 + 3 {
        repeaters.next_ttl_s(BanScope::Node, source(number), &policy, Mono(1));
    }
    assert_eq!((repeaters.count(), repeaters.take_lost()), (REPEATERS_MAX, 3));
    repeaters.next_ttl_s(BanScope::Node, source(9_000_000), &policy, Mono::default().plus_s(200));
    assert_eq!((repeaters.count(), repeaters.take_lost()), (1, 0));
}
