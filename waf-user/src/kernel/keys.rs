//! Prefixes as the keys of tries, and back. One place decides how IPv4 and IPv4-mapped prefixes lie in them.

use std::net::IpAddr;

use aya::maps::lpm_trie::Key;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use waf_common::address::{Address, MAPPED_BITS, PrefixKey};
use waf_common::block::{
    BlockExactKey, EXACT_ADDRESS_BITS, EXACT_NETWORK4_BITS, EXACT_NETWORK6_BITS, ListKey4, ListKey6,
    SCOPE_BITS,
};

/// Bits in front of the IPv4 part of a mapped prefix.
const MAPPED: u8 = MAPPED_BITS as u8;

/// A key of the allow and block lists; which family's trie it belongs to.
pub(super) enum ListKey {
    V4(Key<ListKey4>),
    V6(Key<ListKey6>),
}

/// Scope and prefix as a key; an IPv4-mapped prefix is an IPv4 one.
pub(super) fn list(scope: u32, prefix: IpNet) -> ListKey {
    let prefix = canonical(prefix);
    let prefix_len = SCOPE_BITS + u32::from(prefix.prefix_len());
    match prefix.network() {
        IpAddr::V4(v4) => ListKey::V4(Key::new(prefix_len, ListKey4 { scope, addr: v4.octets() })),
        IpAddr::V6(v6) => ListKey::V6(Key::new(prefix_len, ListKey6 { scope, addr: v6.octets() })),
    }
}

/// A key of the block list, and which map it belongs to.
pub(super) enum BlockKey {
    Exact(BlockExactKey),
    V4(Key<ListKey4>),
    V6(Key<ListKey6>),
}

/// Single sources and the commonest networks (an IPv4 /24, an IPv6 /64) lie in the hash, all other prefixes in the tries.
pub(super) fn block(scope: u32, prefix: IpNet) -> BlockKey {
    let prefix = canonical(prefix);
    let source = Address::from(prefix.network());
    match (prefix, prefix.prefix_len()) {
        (IpNet::V4(_), 32) | (IpNet::V6(_), 128) => BlockKey::Exact(BlockExactKey::address(scope, &source)),
        (IpNet::V4(_), 24) | (IpNet::V6(_), 64) => BlockKey::Exact(BlockExactKey::network(scope, &source)),
        _ => match list(scope, prefix) {
            ListKey::V4(key) => BlockKey::V4(key),
            ListKey::V6(key) => BlockKey::V6(key),
        },
    }
}

/// Which of a list's maps an entry lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMap {
    V4,
    V6,
    /// Block lists alone: what an exact look-up finds.
    Exact,
}

/// Where the allow list has a prefix.
pub fn allow_map(prefix: IpNet) -> ListMap {
    match list(0, prefix) {
        ListKey::V4(_) => ListMap::V4,
        ListKey::V6(_) => ListMap::V6,
    }
}

/// Where the block list has a prefix.
pub fn block_map(prefix: IpNet) -> ListMap {
    match block(0, prefix) {
        BlockKey::Exact(_) => ListMap::Exact,
        BlockKey::V4(_) => ListMap::V4,
        BlockKey::V6(_) => ListMap::V6,
    }
}

/// Scope and prefix of a key of BLOCK_EXACT, if it is one of ours.
pub(super) fn from_exact(key: &BlockExactKey) -> Option<(u32, IpNet)> {
    let address = Address { octets: key.addr };
    let prefix = match (IpAddr::from(address), key.bits) {
        (IpAddr::V4(v4), EXACT_ADDRESS_BITS) => Ipv4Net::from(v4).into(),
        (IpAddr::V4(v4), EXACT_NETWORK4_BITS) => Ipv4Net::new(v4, 24).ok()?.into(),
        (IpAddr::V6(v6), EXACT_ADDRESS_BITS) => Ipv6Net::from(v6).into(),
        (IpAddr::V6(v6), EXACT_NETWORK6_BITS) => Ipv6Net::new(v6, 64).ok()?.into(),
        _ => return None,
    };
    Some((key.scope, prefix))
}

/// Scope and prefix of a key read from a map, if it is one of ours.
pub(super) fn from_list4(key: &Key<ListKey4>) -> Option<(u32, IpNet)> {
    let ListKey4 { scope, addr } = key.data();
    let prefix = Ipv4Net::new(addr.into(), bits(key.prefix_len())?).ok()?;
    Some((scope, prefix.into()))
}

/// As [`from_list4`].
pub(super) fn from_list6(key: &Key<ListKey6>) -> Option<(u32, IpNet)> {
    let ListKey6 { scope, addr } = key.data();
    let prefix = Ipv6Net::new(addr.into(), bits(key.prefix_len())?).ok()?;
    Some((scope, prefix.into()))
}

fn bits(prefix_len: u32) -> Option<u8> {
    u8::try_from(prefix_len.checked_sub(SCOPE_BITS)?).ok()
}

/// A service prefix: both families lie in one trie, IPv4 in its mapped form.
pub(super) fn service_prefix(prefix: &IpNet) -> Key<PrefixKey> {
    let mapped = match prefix {
        IpNet::V4(_) => MAPPED_BITS,
        IpNet::V6(_) => 0,
    };
    let addr = Address::from(prefix.network()).octets;
    Key::new(mapped + u32::from(prefix.prefix_len()), PrefixKey { addr })
}

/// The prefix of a key of PREFIXES, if it is one of ours.
pub(super) fn from_service_prefix(key: &Key<PrefixKey>) -> Option<IpNet> {
    let len = u8::try_from(key.prefix_len()).ok()?;
    let mapped = Ipv6Net::new(key.data().addr.into(), len).ok()?;
    Some(canonical(mapped.into()))
}

/// Host bits cleared, IPv4-mapped prefixes as IPv4: the kernel half looks a mapped source up as IPv4.
pub(super) fn canonical(prefix: IpNet) -> IpNet {
    let prefix = prefix.trunc();
    let IpNet::V6(v6) = prefix else { return prefix };
    match (IpAddr::V6(v6.network()).to_canonical(), v6.prefix_len().checked_sub(MAPPED)) {
        (IpAddr::V4(v4), Some(len)) => Ipv4Net::new(v4, len).map_or(prefix, IpNet::V4),
        _ => prefix,
    }
}

#[cfg(test)]
mod tests;
