//! Bits come with the first prefix behind them and go with the last.

use waf_common::hint::IN_USE_WORD;

use super::*;

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

#[test]
fn bits_come_with_the_first_and_go_with_the_last() {
    let mut bits = HintBits::default();
    let host = net("192.0.2.1/32");
    assert_eq!(bits.add(0, host).len(), 2, "its bit, and its class");
    assert_eq!(bits.add(0, host), [], "there already");
    assert_eq!(bits.add(7, host), [in_use(CLASSES_V4[0], ScopeKind::Tenant)], "another scope, the same bit");
    assert_eq!(bits.add(8, host), [], "of the same kind");
    let neighbour = bits.add(0, net("192.0.2.2/32"));
    assert!(matches!(neighbour[..], [Flip { word, .. }] if word != IN_USE_WORD), "{neighbour:?}");
    assert_eq!(bits.remove(0, host), [], "the other scopes' stays, and the neighbour");
    assert_eq!(bits.remove(0, host), [], "gone already");
    assert_eq!(bits.remove(8, host), [], "the other tenant's stays");
    assert_eq!(bits.remove(7, host).len(), 2, "its bit, and the kind of scope");
    assert_eq!(bits.remove(0, net("192.0.2.2/32")), [in_use(CLASSES_V4[0], ScopeKind::Node), neighbour[0]]);
    assert!(bits.prefixes_of_bit.is_empty());
}

#[test]
fn wide_prefixes_have_no_bit_of_their_own() {
    let mut bits = HintBits::default();
    assert_eq!(bits.add(0, net("0.0.0.0/0")), [in_use(CLASSES_V4[4], ScopeKind::Node)]);
    assert_eq!(bits.add(0, net("::/0")), [in_use(CLASSES_V6[4], ScopeKind::Node)]);
    assert_eq!(bits.remove(0, net("0.0.0.0/0")), [in_use(CLASSES_V4[4], ScopeKind::Node)]);
}

#[test]
fn prefixes_that_hash_alike_share_a_bit() {
    let mut bits = HintBits::default();
    assert_eq!(bits.add(0, net("192.0.2.0/25")).len(), 2);
    assert_eq!(bits.add(0, net("192.0.2.128/25")), [], "one /24");
    assert_eq!(bits.remove(0, net("192.0.2.0/25")), []);
    assert_eq!(bits.remove(0, net("192.0.2.128/25")).len(), 2);
}
