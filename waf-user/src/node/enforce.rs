//! A ban in three places at once: the kernel's block list, the lists that workers read, and the connections that are
//! open. The only writer of all three while the node runs.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use tokio::sync::mpsc;

use super::bans::{Bans, Full};
use super::error::chain;
use super::filter::Filter;
use super::kernel_sync::block_entry;
use super::protect::{Protected, Unbannable};
use super::services::ServicePlan;
use crate::config::NodeConfig;
use crate::kernel::KernelError;
use crate::model::{Ban, BanOrigin, BanScope, Mono};
use crate::proxy::{Command, Lists};

/// Why a ban did not take hold.
#[derive(Debug, thiserror::Error)]
pub enum BanError {
    #[error(transparent)]
    Unbannable(#[from] Unbannable),
    #[error(transparent)]
    Full(#[from] Full),
    #[error("{0} is no service address of this node")]
    NoAddress(IpAddr),
    #[error("tenant {0} is not served by this node")]
    NoTenant(u32),
    #[error("there is no such ban (`waf ban list` shows those there are)")]
    NoBan,
    #[error("write the kernel's block list")]
    Filter(#[source] KernelError),
}

/// Whether an operator insists on a ban that would hit our own machinery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    No,
    Yes,
}

/// What enforcing needs, put together at start.
pub struct Enforcer {
    config: NodeConfig,
    plan: ServicePlan,
    protected: Protected,
    bans: Bans,
    lists: Arc<ArcSwap<Lists>>,
    workers: Vec<mpsc::Sender<Command>>,
    filter: Option<Box<dyn Filter>>,
    /// Whether workers still read lists of an older state.
    is_stale: bool,
}

impl Enforcer {
    /// `filter`: None without the kernel half.
    pub fn new(
        config: NodeConfig,
        plan: ServicePlan,
        protected: Protected,
        lists: Arc<ArcSwap<Lists>>,
        workers: Vec<mpsc::Sender<Command>>,
        filter: Option<Box<dyn Filter>>,
    ) -> Self {
        let mut enforcer =
            Self { config, plan, protected, bans: Bans::default(), lists, workers, filter, is_stale: true };
        enforcer.publish();
        enforcer
    }

    /// Takes over the bans that an earlier run left in the kernel.
    pub fn adopt(&mut self, bans: Vec<Ban>) {
        for ban in bans {
            if let Err(error) = self.bans.add(ban) {
                tracing::warn!(%error, "ban of an earlier run not adopted");
            }
        }
        self.is_stale = true;
        self.publish();
    }

    pub fn bans(&self) -> &Bans {
        &self.bans
    }

    pub fn filter(&self) -> Option<&dyn Filter> {
        self.filter.as_deref()
    }

    /// The ban, or that of the one address where its /64 holds machines of ours too: who shares our network attacks no
    /// less.
    pub fn narrowed(&self, ban: Ban, source: IpAddr) -> Ban {
        match self.protected.check(&ban) {
            Ok(()) => ban,
            Err(_) => Ban { prefix: IpNet::from(source.to_canonical()), ..ban },
        }
    }

    /// Holds in the kernel and for open connections at once, for new requests from [`Enforcer::publish`] on.
    ///
    /// # Errors
    /// See [`BanError`]. Where only the kernel fails, user space enforces the ban all the same.
    pub fn ban(&mut self, ban: Ban, force: Force) -> Result<(), BanError> {
        if force == Force::No {
            self.protected.check(&ban)?;
        }
        self.check_scope(ban.scope)?;
        self.bans.add(ban.clone())?;
        self.is_stale = true;
        let written = self.write_block(&ban);
        for worker in &self.workers {
            if worker.try_send(Command::CloseBanned(ban.clone())).is_err() {
                tracing::warn!(prefix = %ban.prefix, "worker takes no commands: its open connections stay");
            }
        }
        written.map_err(BanError::Filter)
    }

    /// # Errors
    /// There is no such ban, or the kernel's entry cannot be removed.
    pub fn unban(&mut self, scope: BanScope, prefix: IpNet) -> Result<Ban, BanError> {
        let ban = self.bans.remove(scope, prefix).ok_or(BanError::NoBan)?;
        self.is_stale = true;
        self.publish();
        self.remove_block(&ban).map_err(BanError::Filter)?;
        Ok(ban)
    }

    /// Takes away what has run out. The data path ignores it already; this frees its room.
    pub fn reap(&mut self, now: Mono) {
        let over = self.bans.reap(now);
        if over.is_empty() {
            return;
        }
        for ban in &over {
            if let Err(error) = self.remove_block(ban) {
                tracing::warn!(prefix = %ban.prefix, error = chain(&error), "expired ban stays in the kernel's list");
            }
        }
        self.is_stale = true;
        self.publish();
    }

    /// Makes the kernel answer every new connection with RST, before the workers drain.
    pub fn refuse_new(&self) {
        let services = self.plan.refusing_services();
        if let Some(filter) = &self.filter
            && let Err(error) = filter.replace_services(&services)
        {
            tracing::warn!(
                error = chain(&error),
                "new connections are not refused in the kernel while draining"
            );
        }
    }

    fn check_scope(&self, scope: BanScope) -> Result<(), BanError> {
        match scope {
            BanScope::Address(address) if self.plan.scope_number(scope).is_none() => {
                Err(BanError::NoAddress(address))
            }
            BanScope::Tenant(tenant) if self.plan.scope(tenant.number()).is_none() => {
                Err(BanError::NoTenant(tenant.number()))
            }
            _ => Ok(()),
        }
    }

    fn write_block(&self, ban: &Ban) -> Result<(), KernelError> {
        match (&self.filter, block_entry(ban, &self.plan)) {
            (Some(filter), Some(entry)) => filter.block(entry),
            _ => Ok(()),
        }
    }

    fn remove_block(&self, ban: &Ban) -> Result<(), KernelError> {
        match (&self.filter, self.plan.scope_number(ban.scope)) {
            (Some(filter), Some(scope)) => filter.unblock(scope, ban.prefix),
            _ => Ok(()),
        }
    }

    /// Gives the workers the lists anew, if they changed. O(entries), so many bans at once are published together.
    pub fn publish(&mut self) {
        if std::mem::take(&mut self.is_stale) {
            self.lists.store(Arc::new(lists_of(&self.config, self.bans.list())));
        }
    }
}

/// The lists of node.toml and the bans, as workers read them.
fn lists_of(config: &NodeConfig, bans: Vec<Ban>) -> Lists {
    let listed = |scope, tenant, prefix: &IpNet| Ban {
        scope,
        prefix: *prefix,
        origin: BanOrigin::List,
        tenant,
        expires: None,
    };
    let mut allow: Vec<(BanScope, IpNet)> =
        config.allow.iter().map(|prefix| (BanScope::Node, *prefix)).collect();
    let mut refusals = bans;
    refusals.extend(config.block.iter().map(|prefix| listed(BanScope::Node, None, prefix)));
    for tenant in &config.tenants {
        let scope = BanScope::Tenant(tenant.id);
        allow.extend(tenant.allow.iter().map(|prefix| (scope, *prefix)));
        refusals.extend(tenant.block.iter().map(|prefix| listed(scope, Some(tenant.id), prefix)));
    }
    Lists::new(allow, refusals)
}

/// One sentence about a ban, for logs and events.
pub fn sentence(ban: &Ban, now: Mono) -> String {
    let (prefix, scope, origin) = (ban.prefix, ban.scope, ban.origin.label());
    match ban.expires {
        Some(expires) => {
            let left_s = expires.since_ns(now).div_ceil(1_000_000_000);
            format!("{prefix} banned for {scope} by {origin} for {left_s} s")
        }
        None => format!("{prefix} banned for {scope} by {origin} until removed"),
    }
}

#[cfg(test)]
mod tests;
