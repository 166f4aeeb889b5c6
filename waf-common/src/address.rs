//! Addresses as they lie in map keys: 16 bytes for both families, IPv4 mapped into `::ffff:0:0/96` (RFC 4291 §2.5.5.2).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::abi::abi_type;

/// An address of either family. 16 bytes, network byte order; IPv4 as IPv4-mapped IPv6. Aligned so that the kernel half
/// copies and compares it by words; in map keys its octets stand alone.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    pub octets: [u8; 16],
}

/// The first 12 octets of an IPv4-mapped address: 8 of 0, and this.
const MAPPED_WORD: u32 = 0xffff;

impl Address {
    /// The IPv4-mapped form of four octets in network order.
    #[inline(always)]
    pub const fn from_v4(octets: [u8; 4]) -> Self {
        let [a, b, c, d] = octets;
        Self { octets: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] }
    }

    /// The four octets if this is an IPv4-mapped address.
    #[inline(always)]
    pub fn as_v4(&self) -> Option<[u8; 4]> {
        let [o0, o1, o2, o3, o4, o5, o6, o7, o8, o9, o10, o11, last @ ..] = self.octets;
        let is_mapped = u64::from_ne_bytes([o0, o1, o2, o3, o4, o5, o6, o7]) == 0
            && u32::from_be_bytes([o8, o9, o10, o11]) == MAPPED_WORD;
        if is_mapped { Some(last) } else { None }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::from_v4(v4.octets()),
            IpAddr::V6(v6) => Self { octets: v6.octets() },
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match address.as_v4() {
            Some(octets) => IpAddr::V4(Ipv4Addr::from(octets)),
            None => IpAddr::V6(Ipv6Addr::from(address.octets)),
        }
    }
}

abi_type! {
    /// Key of PREFIXES, behind the trie's own `prefix_len`: the 16-byte form, so an IPv4 /24 has `prefix_len` 96 + 24.
    pub struct PrefixKey: 16 {
        pub addr: [u8; 16],
    }
}

abi_type! {
    /// Value of PREFIXES: what holds for every address of a service prefix. 4 bytes.
    pub struct PrefixValue: 4 {
        /// `PREFIX_*` bits.
        pub flags: u32,
    }
}

/// Bits in front of the IPv4 prefix in the `prefix_len` of a mapped one.
pub const MAPPED_BITS: u32 = 96;

/// Drop what is for the prefix but for none of its services (ICMP passes).
pub const PREFIX_ONLY_SERVICES: u32 = 1;
