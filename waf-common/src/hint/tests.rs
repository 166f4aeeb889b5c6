//! Hints: what is listed is always found, in the class and table of its length, and an empty bitmap finds nothing.

use std::format;
use std::net::IpAddr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn address(text: &str) -> Address {
    Address::from(text.parse::<IpAddr>().expect("an address"))
}

/// A bitmap with one listed prefix, in the scope of an address.
fn bitmap(listed: &str, prefix_len: u8) -> Vec<u64> {
    let mut words = vec![0; HINT_ENTRIES as usize];
    let address = address(listed);
    let class = if address.as_v4().is_some() { class_v4(prefix_len) } else { class_v6(prefix_len) };
    words[IN_USE_WORD as usize] = in_use_bit(class, ScopeKind::Address);
    if class.bits != 0 {
        let bit = bit_of(class, &address);
        words[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    words
}

fn hint(words: &[u64], source: &str) -> Hint {
    read(&address(source), |word| words[word as usize])
}

const CLEAR: Option<Table> = None;
const ADDRESS: Option<Table> = Some(Table::Address);
const NETWORK: Option<Table> = Some(Table::Network);
const TRIE: Option<Table> = Some(Table::Trie);

#[test]
fn each_length_points_to_its_table() {
    for (listed, prefix_len, source, expected) in [
        ("192.0.2.1", 32, "192.0.2.1", ADDRESS),
        ("192.0.2.1", 32, "192.0.2.2", CLEAR),
        ("192.0.2.0", 31, "192.0.2.1", TRIE),
        ("192.0.2.0", 25, "192.0.2.255", TRIE),
        ("192.0.2.0", 24, "192.0.2.255", NETWORK),
        ("192.0.2.0", 24, "192.0.3.0", CLEAR),
        ("192.0.2.0", 23, "192.0.3.255", TRIE),
        ("192.0.0.0", 16, "192.0.255.255", TRIE),
        ("192.0.0.0", 16, "192.1.0.0", CLEAR),
        ("192.0.0.0", 15, "203.0.113.1", TRIE),
        ("0.0.0.0", 0, "203.0.113.1", TRIE),
        ("0.0.0.0", 0, "2001:db8::1", CLEAR),
        ("2001:db8::1", 128, "2001:db8::1", ADDRESS),
        ("2001:db8::1", 128, "2001:db8::2", CLEAR),
        ("2001:db8::", 127, "2001:db8::1", TRIE),
        ("2001:db8::", 65, "2001:db8::1", TRIE),
        ("2001:db8::", 64, "2001:db8::ffff:1", NETWORK),
        ("2001:db8::", 64, "2001:db8:0:1::1", CLEAR),
        ("2001:db8::", 63, "2001:db8:0:1::1", TRIE),
        ("2001:db8::", 48, "2001:db8:0:ffff::1", TRIE),
        ("2001:db8::", 48, "2001:db8:1::1", CLEAR),
        ("2001:db8::", 47, "2001:db8:1::1", TRIE),
        ("2001:db8::", 32, "2001:db8:ffff::1", TRIE),
        ("2001:db8::", 32, "2001:db9::1", CLEAR),
        ("2001:db8::", 31, "2001:db9::1", TRIE),
        ("::", 0, "192.0.2.1", CLEAR),
    ] {
        let hint = hint(&bitmap(listed, prefix_len), source);
        let name = format!("{listed}/{prefix_len}: {source}");
        for kind in [ScopeKind::Node, ScopeKind::Address, ScopeKind::Tenant] {
            let expected = expected.filter(|_| kind == ScopeKind::Address);
            assert_eq!(hint.is_clear_of(kind), expected.is_none(), "{name} {kind:?}");
            for table in [Table::Address, Table::Network, Table::Trie] {
                assert_eq!(hint.points_to(kind, table), expected == Some(table), "{name} {kind:?} {table:?}");
            }
        }
        assert_eq!(hint.is_clear(), expected.is_none(), "{name}");
    }
}

#[test]
fn an_empty_bitmap_is_clear() {
    let words = vec![0; HINT_ENTRIES as usize];
    for source in ["192.0.2.1", "2001:db8::1", "::", "0.0.0.0"] {
        assert!(hint(&words, source).is_clear(), "{source}");
    }
}

proptest! {
    #[test]
    fn covered_sources_share_the_bit(octets: [u8; 16], host: [u8; 16], prefix_len in 0u8..=128) {
        let mask = if prefix_len == 0 { 0 } else { u128::MAX << (128 - u32::from(prefix_len)) };
        let listed = Address { octets };
        let network = u128::from_be_bytes(octets) & mask;
        let source = Address { octets: (network | (u128::from_be_bytes(host) & !mask)).to_be_bytes() };
        let class = class_v6(prefix_len);
        prop_assert_eq!(bit_of(class, &listed), bit_of(class, &source));
        prop_assert!(bit_of(class, &listed) < HINT_BITS);
    }

    #[test]
    fn covered_ipv4_sources_share_the_bit(octets: [u8; 4], host: [u8; 4], prefix_len in 0u8..=32) {
        let mask = if prefix_len == 0 { 0 } else { u32::MAX << (32 - u32::from(prefix_len)) };
        let network = u32::from_be_bytes(octets) & mask;
        let source = (network | (u32::from_be_bytes(host) & !mask)).to_be_bytes();
        let class = class_v4(prefix_len);
        prop_assert_eq!(bit_of(class, &Address::from_v4(octets)), bit_of(class, &Address::from_v4(source)));
    }
}
