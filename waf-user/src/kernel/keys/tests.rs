//! Prefixes as keys of tries: one form each, and back.

use super::*;

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

#[test]
fn prefixes_have_one_form() {
    for (name, given, expected) in [
        ("host bits", "192.0.2.77/24", "192.0.2.0/24"),
        ("mapped host", "::ffff:192.0.2.1/128", "192.0.2.1/32"),
        ("mapped prefix", "::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("the mapped block itself", "::ffff:0.0.0.0/96", "0.0.0.0/0"),
        ("wider than the mapped block", "::/0", "::/0"),
        ("IPv6", "2001:db8::1/64", "2001:db8::/64"),
    ] {
        assert_eq!(canonical(net(given)), net(expected), "{name}");
    }
}

#[test]
fn list_keys_come_back() {
    for (scope, prefix) in
        [(0, "192.0.2.0/24"), (7, "0.0.0.0/0"), (1 << 31 | 3, "2001:db8::/48"), (7, "::1/128")]
    {
        let found = match list(scope, net(prefix)) {
            ListKey::V4(key) => from_list4(&key),
            ListKey::V6(key) => from_list6(&key),
        };
        assert_eq!(found, Some((scope, net(prefix))));
    }
    for prefix_len in [0, SCOPE_BITS - 1, SCOPE_BITS + 33] {
        let key = Key::new(prefix_len, ListKey4 { scope: 0, addr: [0; 4] });
        assert_eq!(from_list4(&key), None, "{prefix_len}");
    }
}

#[test]
fn service_prefixes_lie_in_one_trie() {
    for (prefix, expected) in [("10.1.0.0/24", 120), ("fd00:1::/64", 64), ("10.1.0.10/32", 128)] {
        assert_eq!(service_prefix(&net(prefix)).prefix_len(), expected, "{prefix}");
    }
}

#[test]
fn single_sources_and_common_networks_lie_in_the_hash() {
    for (prefix, is_exact) in [
        ("192.0.2.1/32", true),
        ("192.0.2.0/31", false),
        ("::ffff:192.0.2.1/128", true),
        ("192.0.2.0/25", false),
        ("192.0.2.0/24", true),
        ("192.0.2.0/23", false),
        ("0.0.0.0/0", false),
        ("2001:db8::1/128", true),
        ("2001:db8::/127", false),
        ("2001:db8::/65", false),
        ("2001:db8::/64", true),
        ("2001:db8::/63", false),
        ("::ffff:0:0/96", false),
    ] {
        let found = match block(7, net(prefix)) {
            BlockKey::Exact(key) => {
                assert!(is_exact, "{prefix}");
                from_exact(&key)
            }
            BlockKey::V4(key) => from_list4(&key),
            BlockKey::V6(key) => from_list6(&key),
        };
        assert_eq!(found, Some((7, canonical(net(prefix)))), "{prefix}");
    }
    let foreign = BlockExactKey { scope: 0, bits: 48, addr: [0; 16] };
    assert_eq!(from_exact(&foreign), None);
}

#[test]
fn each_prefix_has_its_map() {
    let table = [
        ("198.51.100.1/32", ListMap::Exact, ListMap::V4),
        ("198.51.100.0/24", ListMap::Exact, ListMap::V4),
        ("198.51.100.0/25", ListMap::V4, ListMap::V4),
        ("198.51.0.0/23", ListMap::V4, ListMap::V4),
        ("::ffff:198.51.100.1/128", ListMap::Exact, ListMap::V4),
        ("2001:db8::1/128", ListMap::Exact, ListMap::V6),
        ("2001:db8::/64", ListMap::Exact, ListMap::V6),
        ("2001:db8::/63", ListMap::V6, ListMap::V6),
    ];
    for (prefix, block, allow) in table {
        let net = prefix.parse().expect("a prefix");
        assert_eq!((block_map(net), allow_map(net)), (block, allow), "{prefix}");
    }
}
