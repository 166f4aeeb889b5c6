//! Bans: who is refused, where, why and until when. Where they are enforced is not known here.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Mono, TenantId};

/// Bits of an IPv6 source that stand for one visitor: a provider hands out whole /64s.
const SOURCE_BITS_V6: u8 = 64;

/// Where a ban holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BanScope {
    Node,
    /// One service address of this node.
    Address(IpAddr),
    Tenant(TenantId),
}

/// Who made a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BanOrigin {
    /// `block` of node.toml: never expires, goes with the configuration.
    List,
    /// The feedback loop.
    Rules,
    /// `waf ban add`.
    Operator,
}

/// One refusal of a source prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    pub scope: BanScope,
    /// IPv4-mapped sources are given as IPv4.
    pub prefix: IpNet,
    pub origin: BanOrigin,
    /// The tenant whose refusals made it, if any.
    pub tenant: Option<TenantId>,
    /// None = never.
    pub expires: Option<Mono>,
}

/// The prefix that a source counts as: an IPv4 address itself, an IPv6 address's /64.
pub fn source_prefix(source: IpAddr) -> IpNet {
    match source.to_canonical() {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::from(v4)),
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & (u128::MAX << (128 - u32::from(SOURCE_BITS_V6)));
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from(network), SOURCE_BITS_V6))
        }
    }
}
