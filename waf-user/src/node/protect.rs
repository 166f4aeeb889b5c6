//! Sources that are never banned: our own and the customers' machinery. A ban that covers one needs an operator's force.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{NodeConfig, NodeSettings, OriginHost, own_addresses};
use crate::model::Ban;

/// Widest prefixes that need no force.
const WIDEST_V4: u8 = 16;
const WIDEST_V6: u8 = 32;

/// Why a ban is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbannable {
    #[error("{0} is wider than /{WIDEST_V4} (IPv6: /{WIDEST_V6}); --force bans it all the same")]
    TooWide(IpNet),
    #[error("{prefix} covers {covered}, {what}; --force bans it all the same")]
    Covers { prefix: IpNet, covered: IpNet, what: &'static str },
}

/// Prefixes of our own and our customers' machines.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    entries: Vec<(IpNet, &'static str)>,
}

impl Protected {
    /// `own`: addresses of this machine. Origins given by name are not known here: their addresses change.
    pub fn new(settings: &NodeSettings, config: &NodeConfig, own: &[IpAddr]) -> Self {
        let mut entries: Vec<(IpNet, &'static str)> = Vec::new();
        entries.extend(own.iter().map(|address| (IpNet::from(*address), "an address of this machine")));
        entries.extend(
            settings.service_prefixes.iter().map(|prefix| (*prefix, "a service prefix of this node")),
        );
        entries.extend(settings.admin.listen.map(|listen| (IpNet::from(listen.ip()), "the admin address")));
        for tenant in &config.tenants {
            let addresses = tenant.addresses.iter();
            entries
                .extend(addresses.map(|address| (IpNet::from(*address), "a service address of this node")));
            entries.extend(tenant.trusted_proxies.iter().map(|prefix| (*prefix, "a trusted proxy")));
            for origin in &tenant.origins {
                if let OriginHost::Address(address) = origin.host {
                    entries.push((IpNet::from(address), "an origin"));
                }
            }
        }
        Self { entries }
    }

    /// With the addresses of this machine; without the kernel half it may be its own visitor, on a developer's desk.
    pub fn of_this_machine(settings: &NodeSettings, config: &NodeConfig) -> Self {
        let own = if settings.interface.is_some() { own_addresses() } else { Vec::new() };
        Self::new(settings, config, &own)
    }

    /// O(entries): asked once a ban, never per request.
    ///
    /// # Errors
    /// See [`Unbannable`].
    pub fn check(&self, ban: &Ban) -> Result<(), Unbannable> {
        let prefix = ban.prefix;
        let widest = if matches!(prefix, IpNet::V4(_)) { WIDEST_V4 } else { WIDEST_V6 };
        if prefix.prefix_len() < widest {
            return Err(Unbannable::TooWide(prefix));
        }
        let overlaps = |entry: &IpNet| prefix.contains(entry) || entry.contains(&prefix);
        match self.entries.iter().find(|(entry, _)| overlaps(entry)) {
            Some((covered, what)) => Err(Unbannable::Covers { prefix, covered: *covered, what }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
