//! Allow and block lists keyed by scope and source: a hash for single sources and the commonest networks, longest-prefix
//! tries for all other lengths.

use crate::abi::abi_type;
use crate::address::{Address, MAPPED_BITS};

/// Scope of the whole node (and of the fleet): the value 0.
pub const SCOPE_NODE: u32 = 0;
/// Set in the scope of one service address; the low 31 bits are its `address_id`. Without it a scope is a tenant.
pub const SCOPE_ADDRESS_BIT: u32 = 1 << 31;

/// The scope of one service address.
#[inline(always)]
pub const fn scope_address(address_id: u32) -> u32 {
    SCOPE_ADDRESS_BIT | address_id
}

/// What a scope is of; the number tells the kinds apart in [`crate::hint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ScopeKind {
    Node = 0,
    Address = 1,
    Tenant = 2,
}

impl ScopeKind {
    /// The kind of a scope.
    #[inline(always)]
    pub const fn of(scope: u32) -> Self {
        match scope {
            SCOPE_NODE => Self::Node,
            scope if scope & SCOPE_ADDRESS_BIT != 0 => Self::Address,
            _ => Self::Tenant,
        }
    }
}

/// Bits of `scope` in front of the address bits in `prefix_len`; the scope always matches whole.
pub const SCOPE_BITS: u32 = 32;

abi_type! {
    /// Key of ALLOW4 and BLOCK4, behind the trie's own `prefix_len` = 32 bits of scope + bits of the IPv4 prefix.
    /// 8 bytes.
    pub struct ListKey4: 8 {
        /// Host byte order; compared whole, so its byte order does not matter to the trie.
        pub scope: u32,
        pub addr: [u8; 4],
    }
}

abi_type! {
    /// Key of ALLOW6 and BLOCK6, behind the trie's own `prefix_len` = 32 bits of scope + bits of the IPv6 prefix.
    /// 20 bytes.
    pub struct ListKey6: 20 {
        /// Host byte order; compared whole.
        pub scope: u32,
        pub addr: [u8; 16],
    }
}

abi_type! {
    /// Key of BLOCK_EXACT: one address, or a network of the length that lists are mostly made of. 24 bytes.
    pub struct BlockExactKey: 24 {
        pub scope: u32,
        /// Bits of the prefix in the 16-byte form: one of `EXACT_*_BITS`.
        pub bits: u32,
        /// Host bits are 0; IPv4 in its mapped form.
        pub addr: [u8; 16],
    }
}

/// Bits of a BLOCK_EXACT key that is one address.
pub const EXACT_ADDRESS_BITS: u32 = 128;
/// Bits of a BLOCK_EXACT key that is an IPv4 /24.
pub const EXACT_NETWORK4_BITS: u32 = MAPPED_BITS + 24;
/// Bits of a BLOCK_EXACT key that is one IPv6 visitor's network.
pub const EXACT_NETWORK6_BITS: u32 = 64;

impl BlockExactKey {
    /// Hot: per packet. The key of one address.
    #[inline(always)]
    pub fn address(scope: u32, source: &Address) -> Self {
        Self { scope, bits: EXACT_ADDRESS_BITS, addr: source.octets }
    }

    /// Hot: per packet. The key of the network that an address is in: an IPv4 /24, an IPv6 /64.
    #[inline(always)]
    pub fn network(scope: u32, source: &Address) -> Self {
        const LAST_OCTET: u64 = 0xff;
        let [first, second] = source.words();
        let (bits, second) = match source.as_v4() {
            Some(_) => (EXACT_NETWORK4_BITS, second & !LAST_OCTET.to_be()),
            None => (EXACT_NETWORK6_BITS, 0),
        };
        Self { scope, bits, addr: Address::from_words([first, second]).octets }
    }
}

abi_type! {
    /// Value of BLOCK_EXACT, BLOCK4 and BLOCK6. 16 bytes of u32: LPM values want an alignment that divides the
    /// key's data size.
    pub struct BlockValue: 16 {
        /// A [`Reason`] number.
        pub reason: u32,
        /// Monotonic (CLOCK_MONOTONIC_COARSE) second from which the entry no longer matches; 0 = never expires.
        pub expires_s: u32,
        /// The tenant whose rules or list made the entry; 0 = the node.
        pub tenant: u32,
        /// Monotonic second until which a wider entry of the scope refuses the same sources: a trie finds the longest match
        /// only. 0 = none does, [`COVERED_FOR_EVER`] = one that never expires. Apart from `expires_s`, so that a restart
        /// reads what was asked for.
        pub covered_s: u32,
    }
}

/// `covered_s` under an entry that never expires: later than any second the clock will show.
pub const COVERED_FOR_EVER: u32 = u32::MAX;

impl BlockValue {
    /// Hot: per packet. Whether the source is still refused at `now_s`, in monotonic seconds.
    #[inline(always)]
    pub const fn is_live(&self, now_s: u32) -> bool {
        self.expires_s == 0 || now_s < self.expires_s || now_s < self.covered_s
    }
}

abi_type! {
    /// Value of ALLOW4 and ALLOW6. 4 bytes.
    pub struct AllowValue: 4 {
        /// A [`Reason`] number.
        pub reason: u32,
    }
}

/// Where a list entry came from, so that a restart can tell apart what to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// `allow` or `block` of node.toml.
    List = 1,
    /// Made by the feedback loop from refused requests.
    Ban = 2,
    /// Made by an operator (`waf ban add`).
    Operator = 3,
    /// Brought in from a foreign list.
    Import = 4,
}

impl Reason {
    /// The reason of a number read from a map, if it is one of ours.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::List),
            2 => Some(Self::Ban),
            3 => Some(Self::Operator),
            4 => Some(Self::Import),
            _ => None,
        }
    }
}
