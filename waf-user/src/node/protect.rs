//! Sources that are never banned: our own and the customers' machinery. A ban that covers one needs an operator's force.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{NodeConfig, NodeSettings, OriginHost, own_addresses};
use crate::model::Ban;
use crate::model::ban::{WIDEST_V4, WIDEST_V6, is_too_wide};

/// Why a ban is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbannable {
    #[error("{0} is wider than /{WIDEST_V4} (IPv6: /{WIDEST_V6}); --force bans it all the same")]
    TooWide(IpNet),
    #[error("{prefix} covers {covered}, {what}; --force bans it all the same")]
    Covers { prefix: IpNet, covered: IpNet, what: &'static str },
}

/// Prefixes of our own and our customers' machines, in the order of address and length.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    entries: BTreeMap<IpNet, &'static str>,
}

impl Protected {
    /// `own`: addresses of this machine. Origins given by name are not known here: their addresses change.
    pub fn new(settings: &NodeSettings, config: &NodeConfig, own: &[IpAddr]) -> Self {
        let mut protected = Self::default();
        let host = |address: &IpAddr| IpNet::from(address.to_canonical());
        config.ban.never.iter().for_each(|prefix| protected.add(*prefix, "listed in [ban] never"));
        own.iter().for_each(|address| protected.add(host(address), "an address of this machine"));
        let prefixes = &settings.service_prefixes;
        prefixes.iter().for_each(|prefix| protected.add(*prefix, "a service prefix of this node"));
        if let Some(listen) = settings.admin.listen {
            protected.add(host(&listen.ip()), "the admin address");
        }
        for tenant in &config.tenants {
            for address in &tenant.addresses {
                protected.add(host(address), "a service address of this node");
            }
            tenant.trusted_proxies.iter().for_each(|prefix| protected.add(*prefix, "a trusted proxy"));
            for origin in &tenant.origins {
                if let OriginHost::Address(address) = &origin.host {
                    protected.add(host(address), "an origin");
                }
            }
        }
        protected
    }

    fn add(&mut self, prefix: IpNet, what: &'static str) {
        self.entries.entry(prefix.trunc()).or_insert(what);
    }

    /// With the addresses of this machine; without the kernel half it may be its own visitor, on a developer's desk.
    pub fn of_this_machine(settings: &NodeSettings, config: &NodeConfig) -> Self {
        let own = if settings.interface.is_some() { own_addresses() } else { Vec::new() };
        Self::new(settings, config, &own)
    }

    /// O(log entries): a list of `never` may be long, and attacks from it are many.
    ///
    /// # Errors
    /// See [`Unbannable`].
    pub fn check(&self, ban: &Ban) -> Result<(), Unbannable> {
        let prefix = ban.prefix.trunc();
        if is_too_wide(prefix) {
            return Err(Unbannable::TooWide(prefix));
        }
        match self.around(prefix).or_else(|| self.within(prefix)) {
            Some((covered, what)) => Err(Unbannable::Covers { prefix, covered, what }),
            None => Ok(()),
        }
    }

    /// An entry that the prefix lies in.
    fn around(&self, prefix: IpNet) -> Option<(IpNet, &'static str)> {
        let mut outer = Some(prefix);
        while let Some(net) = outer {
            if let Some(what) = self.entries.get(&net) {
                return Some((net, what));
            }
            outer = net.supernet();
        }
        None
    }

    /// An entry that lies in the prefix: between it and the host of its last address.
    fn within(&self, prefix: IpNet) -> Option<(IpNet, &'static str)> {
        let inside = self.entries.range(prefix..=IpNet::from(prefix.broadcast()));
        inside.map(|(net, what)| (*net, *what)).find(|(net, _)| prefix.contains(net))
    }
}

#[cfg(test)]
mod tests;
