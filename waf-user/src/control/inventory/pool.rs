//! The IPv4 addresses of one node that sites are served on. All but the last are given to one environment each; the last
//! is kept for all those that come when the others are gone. Who has which is not known here.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Addresses of one node: a look through them all stays short.
const POOL_LEN_MAX: u64 = 4096;

/// Why networks are no pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    #[error("{0} has bits set behind its length")]
    HostBits(Ipv4Net),
    #[error("{0} overlaps another network of the pool")]
    Overlap(Ipv4Net),
    #[error("{0} addresses are more than {POOL_LEN_MAX}")]
    Length(u64),
}

/// Disjoint networks in the order of their addresses; every address counts, as they are routed to the node whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    networks: Vec<Ipv4Net>,
    len: u64,
}

impl Pool {
    /// # Errors
    /// See [`PoolError`].
    pub fn new(mut networks: Vec<Ipv4Net>) -> Result<Self, PoolError> {
        networks.sort_unstable();
        if let Some(network) = networks.iter().find(|network| network.addr() != network.network()) {
            return Err(PoolError::HostBits(*network));
        }
        for (one, other) in networks.iter().zip(networks.iter().skip(1)) {
            if one.contains(other) {
                return Err(PoolError::Overlap(*other));
            }
        }
        let len = networks.iter().map(|network| 1_u64 << (32 - network.prefix_len())).sum();
        if len > POOL_LEN_MAX {
            return Err(PoolError::Length(len));
        }
        Ok(Self { networks, len })
    }

    pub fn networks(&self) -> &[Ipv4Net] {
        &self.networks
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many environments can have an address of their own.
    pub const fn own_len(&self) -> u64 {
        self.len.saturating_sub(1)
    }

    /// The addresses that environments can have for themselves, in order.
    pub fn own(&self) -> impl Iterator<Item = Ipv4Addr> {
        let len = usize::try_from(self.own_len()).unwrap_or(usize::MAX);
        self.networks.iter().flat_map(|network| addresses(*network)).take(len)
    }

    /// The address that the others share, told apart by SNI and Host.
    pub fn shared(&self) -> Option<Ipv4Addr> {
        self.networks.last().map(Ipv4Net::broadcast)
    }

    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

fn addresses(network: Ipv4Net) -> impl Iterator<Item = Ipv4Addr> {
    (u32::from(network.network())..=u32::from(network.broadcast())).map(Ipv4Addr::from)
}
