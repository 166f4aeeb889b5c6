//! What sites have: environments with their placements, and the record of each site that says which of them serves it.
//! [`State`] holds all of them; how they came to be is decided in `plan`.

mod state;
mod valid;

pub use state::{Load, StaleError, State};
pub use valid::Violation;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::capacity::Rates;
use super::sheet::Sheet;
use crate::model::{Carrier, Fqdn, Generation, IdentityError, NodeName, TenantId, Wall};

/// Who owns sites: a short name of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Customer(NodeName);

impl Customer {
    /// # Errors
    /// Empty, longer than 32 characters, or with other characters than a-z, 0-9 and `-`.
    pub fn new(text: &str) -> Result<Self, IdentityError> {
        NodeName::new(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What everything was, and is compared with: grows with every change of state or inventory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// What the kernel can do for an environment at its IPv4 address. At IPv6 it is always `Own`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strength {
    /// The address is one environment's: lists, bans, limits and steering per tenant from the first packet.
    Own,
    /// The address is shared, told apart by SNI and Host: from the first packet only what holds for all who share it; per
    /// tenant once a connection has named its site.
    Shared,
}

/// A node, the addresses there, and what is reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub node: NodeName,
    pub carrier: Carrier,
    pub ipv4: Ipv4Addr,
    pub strength: Strength,
    pub ipv6: Option<Ipv6Addr>,
    /// This placement's part of the peak with the other carrier lost: all of it, but for an oversize site.
    pub reserved: Rates,
}

impl Placement {
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        [Some(IpAddr::V4(self.ipv4)), self.ipv6.map(IpAddr::V6)].into_iter().flatten()
    }
}

/// What a site is served by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub tenant: TenantId,
    /// What the customer's CNAME points at.
    pub name: Fqdn,
    pub customer: Customer,
    pub sheet: Arc<Sheet>,
    /// At exactly two carriers, as many at one as at the other; in the order of carriers and nodes.
    pub placements: Vec<Placement>,
    pub generation: Generation,
    pub opened: Wall,
}

impl Environment {
    /// Placements at each carrier.
    pub fn per_carrier(&self) -> u64 {
        (self.placements.len() as u64 / 2).max(1)
    }

    /// What the zone answers for its name, in the order of the addresses, which tells nothing of where they are.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = self.placements.iter().flat_map(Placement::addresses).collect();
        addresses.sort_unstable();
        addresses
    }

    /// The weakest of its placements.
    pub fn strength(&self) -> Strength {
        self.placements.iter().map(|placement| placement.strength).max().unwrap_or(Strength::Own)
    }
}

/// Which environment serves a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub fqdn: Fqdn,
    pub customer: Customer,
    pub current: TenantId,
    /// The environment of before a Move, which serves on until it is closed or rolled back to.
    pub old: Option<TenantId>,
    /// Every name that this site's environments ever had, the newest last: all of them are answered with the addresses
    /// of `current`, so that a CNAME which the customer never changed keeps working.
    pub names: Vec<Fqdn>,
}

#[cfg(test)]
mod tests;
