//! A ban in three places at once: the kernel's block list, the lists that workers read, and the connections that are
//! open. The only writer of all three while the node runs.

mod hold;

use std::collections::HashSet;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use tokio::sync::mpsc;

use super::bans::{Bans, Full};
use super::filter::Filter;
use super::kernel_sync::{self, Sync};
use super::protect::{Protected, Unbannable};
use super::repeaters::Repeaters;
use super::services::ServicePlan;
use crate::config::{NodeConfig, NodeSettings};
use crate::kernel::{AllowEntry, KernelError};
use crate::model::{Ban, BanOrigin, BanScope, Generation, Mono, chain};
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

/// Up to so many bans a list of them all is made in a millisecond or two, and so after each batch of new ones. With
/// 100,000 it takes a hundred times as long, which would hold up everything else that the node's own runtime does.
const BANS_FEW: usize = 4096;

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
    repeaters: Repeaters,
    lists: Arc<ArcSwap<Lists>>,
    workers: Vec<mpsc::Sender<Command>>,
    filter: Option<Box<dyn Filter>>,
    /// Whether the maps are ours to write: not before we serve, and no longer once another process has taken over.
    is_writer: bool,
    /// Whether workers still read lists of an older state.
    is_stale: bool,
    /// Whether a worker did not hear of a ban: it is to look at all of its open connections.
    is_missed: bool,
}

/// What a new configuration puts in the place of the old.
pub struct Next {
    pub config: NodeConfig,
    pub plan: ServicePlan,
    pub protected: Protected,
    pub generation: Generation,
}

impl Enforcer {
    /// `filter`: None without the kernel half. Nothing is written to it before [`Enforcer::take_up`].
    pub fn new(
        config: NodeConfig,
        plan: ServicePlan,
        protected: Protected,
        lists: Arc<ArcSwap<Lists>>,
        workers: Vec<mpsc::Sender<Command>>,
        filter: Option<Box<dyn Filter>>,
    ) -> Self {
        let mut enforcer = Self {
            config,
            plan,
            protected,
            bans: Bans::default(),
            repeaters: Repeaters::default(),
            lists,
            workers,
            filter,
            is_writer: false,
            is_stale: true,
            is_missed: false,
        };
        enforcer.publish();
        enforcer
    }

    /// Takes over bans that an earlier run left.
    pub fn adopt(&mut self, bans: Vec<Ban>) {
        for ban in bans {
            if let Err(error) = self.bans.add(ban) {
                tracing::warn!(%error, "ban of an earlier run not adopted");
            }
        }
        self.is_stale = true;
        self.publish();
    }

    /// Becomes the writer of the maps: adopts the bans that lie there, and writes what is served, services last.
    ///
    /// # Errors
    /// The first write that fails; a second run repeats all of it.
    pub fn take_up(
        &mut self,
        settings: &NodeSettings,
        generation: Generation,
        workers: &[(BorrowedFd<'_>, Option<usize>)],
        now: Mono,
    ) -> Result<(), KernelError> {
        self.is_writer = true;
        let Some(filter) = self.filter.as_deref() else { return Ok(()) };
        let sync = Sync { settings, config: &self.config, plan: &self.plan, generation };
        kernel_sync::write_sockets(filter, workers)?;
        sync.write_lists(filter, &[])?;
        let adopted = sync.adopt(filter, now)?;
        // Bans of our own that the maps do not have: they came while another process was to write them.
        let known: HashSet<_> = adopted.iter().map(|ban| (ban.scope, ban.prefix)).collect();
        for ban in self.bans.list().iter().filter(|ban| !known.contains(&(ban.scope, ban.prefix))) {
            if let Some(entry) = kernel_sync::block_entry(ban, &self.plan) {
                filter.block(entry)?;
            }
        }
        self.adopt(adopted);
        let Some(filter) = self.filter.as_deref() else { return Ok(()) };
        Sync { settings, config: &self.config, plan: &self.plan, generation }.write_services(filter)
    }

    /// Becomes the writer of the block lists where no node runs; what is served stays as it lies there.
    pub fn write_alone(&mut self) {
        self.is_writer = true;
    }

    /// Leaves the maps to another process. Bans hold in user space all the same.
    pub fn release(&mut self) {
        self.is_writer = false;
    }

    /// The maps opened anew, as another process may have left them. To be followed by [`Enforcer::take_up`].
    pub fn reopen(&mut self, filter: Box<dyn Filter>) {
        self.filter = Some(filter);
    }

    /// Puts a new configuration in place: lists and what leads to services, then the workers' state by `serve`, then the
    /// services. `held`: settings and generation until now. `serve` is called with true, and with false where it has to be
    /// taken back.
    ///
    /// # Errors
    /// The kernel does not take it; then the old configuration holds as before.
    pub fn replace(
        &mut self,
        held: (&NodeSettings, Generation),
        settings: &NodeSettings,
        next: Next,
        serve: impl Fn(bool),
    ) -> Result<(), KernelError> {
        let old_allow = kernel_sync::allow_entries(&self.config);
        let Next { config, plan, protected, generation } = next;
        let new_allow = kernel_sync::allow_entries(&config);
        let sync = Sync { settings, config: &config, plan: &plan, generation };
        if let Some(filter) = self.writer()
            && let Err(error) = sync.write_lists(filter, &old_allow)
        {
            self.restore(held, &new_allow);
            return Err(error);
        }
        self.forget_meaningless(&config, &plan);
        let old_config = std::mem::replace(&mut self.config, config);
        let old_plan = std::mem::replace(&mut self.plan, plan);
        let old_protected = std::mem::replace(&mut self.protected, protected);
        self.is_stale = true;
        self.publish();
        serve(true);
        let sync = Sync { settings, config: &self.config, plan: &self.plan, generation };
        let written = self.writer().map_or(Ok(()), |filter| sync.write_services(filter));
        if written.is_err() {
            (self.config, self.plan, self.protected) = (old_config, old_plan, old_protected);
            self.is_stale = true;
            self.publish();
            serve(false);
            self.restore(held, &new_allow);
        }
        written
    }

    /// Writes the configuration that holds once more, after another was half written.
    fn restore(&self, (settings, generation): (&NodeSettings, Generation), allowed: &[AllowEntry]) {
        let Some(filter) = self.writer() else { return };
        let sync = Sync { settings, config: &self.config, plan: &self.plan, generation };
        let restored = sync.write_lists(filter, allowed).and_then(|()| sync.write_services(filter));
        if let Err(error) = restored {
            tracing::error!(error = chain(&error), "kernel's maps hold parts of a refused configuration");
        }
    }

    /// Takes away bans whose tenant or address goes, and bans by rules that would reach a tenant that does not block.
    fn forget_meaningless(&mut self, config: &NodeConfig, plan: &ServicePlan) {
        let is_gone = |ban: &Ban| {
            !plan.serves(ban.scope)
                || (ban.origin == BanOrigin::Rules && kernel_sync::reaches_unblocking(config, ban.scope))
        };
        for ban in self.bans.list().into_iter().filter(is_gone) {
            self.bans.remove(ban.scope, ban.prefix);
            if let Err(error) = self.remove_block(&ban) {
                tracing::warn!(prefix = %ban.prefix, error = chain(&error), "ban stays in the kernel's list");
            }
        }
    }

    /// Whether a ban of another process still means something here.
    pub fn may_adopt(&self, ban: &Ban, now: Mono) -> bool {
        let is_over = ban.expires.is_some_and(|expires| expires <= now);
        let is_unwanted =
            ban.origin == BanOrigin::Rules && kernel_sync::reaches_unblocking(&self.config, ban.scope);
        !is_over && !is_unwanted && self.plan.serves(ban.scope)
    }

    pub fn bans(&self) -> &Bans {
        &self.bans
    }

    pub fn repeaters(&mut self) -> &mut Repeaters {
        &mut self.repeaters
    }

    pub fn plan(&self) -> &ServicePlan {
        &self.plan
    }

    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The maps, for reading.
    pub fn filter(&self) -> Option<&dyn Filter> {
        self.filter.as_deref()
    }

    /// The maps, where they are ours to write.
    fn writer(&self) -> Option<&dyn Filter> {
        self.filter.as_deref().filter(|_| self.is_writer)
    }

    /// Makes the kernel answer every new connection with RST, before the workers drain.
    pub fn refuse_new(&self) {
        let services = self.plan.refusing_services();
        if let Some(filter) = self.writer()
            && let Err(error) = filter.replace_services(&services)
        {
            tracing::warn!(
                error = chain(&error),
                "new connections are not refused in the kernel while draining"
            );
        }
    }

    /// Gives the workers the lists anew, if they changed. O(entries), so many bans at once are published together.
    pub fn publish(&mut self) {
        if std::mem::take(&mut self.is_stale) {
            self.lists.store(Arc::new(lists_of(&self.config, self.bans.iter().cloned().collect())));
        }
        if std::mem::take(&mut self.is_missed) {
            for worker in &self.workers {
                self.is_missed |= worker.try_send(Command::CloseListed).is_err();
            }
        }
    }

    /// The same after bans were added, where more may follow at once. The kernel drops already and open connections are
    /// closed: with many bans, workers read them when the next ones are reaped.
    pub fn publish_soon(&mut self) {
        if self.bans.len() <= BANS_FEW {
            self.publish();
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
