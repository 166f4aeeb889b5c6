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

/// The high half of an IPv4-mapped address's second word; its first word is 0.
const MAPPED: u64 = 0xffff;

impl Address {
    /// Hot: per packet. The IPv4-mapped form of four octets in network order.
    #[inline(always)]
    pub fn from_v4(octets: [u8; 4]) -> Self {
        let word = MAPPED << 32 | u64::from(u32::from_be_bytes(octets));
        Self::from_words([0, word.to_be()])
    }

    /// Hot: per packet. The four octets if this is an IPv4-mapped address.
    #[inline(always)]
    pub fn as_v4(&self) -> Option<[u8; 4]> {
        let [first, second] = self.words();
        let second = u64::from_be(second);
        if first == 0 && second >> 32 == MAPPED { Some((second as u32).to_be_bytes()) } else { None }
    }

    /// Hot: per packet. As it lies in memory, in two words.
    #[inline(always)]
    pub fn words(&self) -> [u64; 2] {
        bytemuck::cast(self.octets)
    }

    /// Hot: per packet. What [`Address::words`] gave.
    #[inline(always)]
    pub fn from_words(words: [u64; 2]) -> Self {
        Self { octets: bytemuck::cast(words) }
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
