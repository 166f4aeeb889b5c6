//! Bans: who is refused, where, why and until when. Where they are enforced is not known here.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Mono, TenantId};

/// Bits of an IPv6 source that stand for one visitor: a provider hands out whole /64s.
const SOURCE_BITS_V6: u8 = 64;
/// Widest prefixes that are banned without an operator's force.
pub const WIDEST_V4: u8 = 16;
pub const WIDEST_V6: u8 = 32;

/// Where a ban holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BanScope {
    Node,
    /// One service address of this node.
    Address(IpAddr),
    Tenant(TenantId),
}

/// Why a text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope: write node, address:IP or tenant:ID")]
pub struct ScopeError(String);

impl FromStr for BanScope {
    type Err = ScopeError;

    /// `node`, `address:192.0.2.10`, `tenant:7`: the form of the command line and of control.sock.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scope = match text.split_once(':') {
            None if text == "node" => Some(Self::Node),
            Some(("address", address)) => {
                address.parse::<IpAddr>().ok().map(|address| Self::Address(address.to_canonical()))
            }
            Some(("tenant", id)) => id.parse().ok().and_then(|id| TenantId::new(id).ok()).map(Self::Tenant),
            _ => None,
        };
        scope.ok_or_else(|| ScopeError(text.to_owned()))
    }
}

impl fmt::Display for BanScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("node"),
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Tenant(tenant) => write!(f, "tenant:{tenant}"),
        }
    }
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
    /// Control, for the whole fleet.
    Fleet,
}

impl BanOrigin {
    /// One word for operators.
    pub const fn label(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Rules => "rules",
            Self::Operator => "operator",
            Self::Fleet => "fleet",
        }
    }
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

/// Whether a prefix is wider than [`WIDEST_V4`] or [`WIDEST_V6`].
pub fn is_too_wide(prefix: IpNet) -> bool {
    let widest = if matches!(prefix, IpNet::V4(_)) { WIDEST_V4 } else { WIDEST_V6 };
    prefix.prefix_len() < widest
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

#[cfg(test)]
mod tests;
