//! Writes what the node serves into the kernel's maps, in the order in which each step is safe: sockets before the
//! services that lead to them, lists before the services they protect. Adopts the bans of an earlier run.

use std::os::fd::BorrowedFd;

use waf_common::block::{Reason, SCOPE_NODE};
use waf_common::service::{CONFIG_ACTIVE, CONFIG_CPUMAP, CONFIG_DROP_FRAGMENTS, Config};

use super::filter::Filter;
use super::services::ServicePlan;
use crate::config::{Fragments, NodeConfig, NodeSettings};
use crate::kernel::{AllowEntry, BlockEntry, KernelError};
use crate::model::{Ban, BanOrigin, BanScope, Generation, Mode, Mono, TenantId};

/// What the kernel half is to hold, in two steps with the workers' own change between them: first what protects
/// services and leads to them, at last the services.
pub struct Sync<'a> {
    pub settings: &'a NodeSettings,
    pub config: &'a NodeConfig,
    pub plan: &'a ServicePlan,
    pub generation: Generation,
}

/// Gives sk_lookup each worker's listener and, where it is pinned, CPUMAP its CPU.
///
/// # Errors
/// The first write that fails.
pub fn write_sockets(
    filter: &dyn Filter,
    workers: &[(BorrowedFd<'_>, Option<usize>)],
) -> Result<(), KernelError> {
    for (worker, (socket, cpu)) in (0..).zip(workers) {
        filter.set_socket(worker, *socket)?;
        if let Some(cpu) = cpu.and_then(|cpu| u32::try_from(cpu).ok()) {
            filter.set_worker_cpu(worker, cpu)?;
        }
    }
    Ok(())
}

impl Sync<'_> {
    /// Worker sets and lists. Allow entries come before blocks and leave after them: who was allowed and is, or is no
    /// longer blocked, is at no moment dropped. `allowed`: the allow entries until now.
    ///
    /// # Errors
    /// The first write that fails; what was written before stays, and a second run repeats it.
    pub fn write_lists(&self, filter: &dyn Filter, allowed: &[AllowEntry]) -> Result<(), KernelError> {
        for (id, workers) in self.plan.worker_sets() {
            filter.set_worker_set(id, &workers)?;
        }
        let wanted = allow_entries(self.config);
        let gone: Vec<AllowEntry> = allowed.iter().filter(|entry| !wanted.contains(entry)).copied().collect();
        if !gone.is_empty() {
            let both: Vec<AllowEntry> = wanted.iter().chain(&gone).copied().collect();
            filter.replace_allow(&both)?;
            filter.replace_blocks(Reason::List, &list_entries(self.config))?;
            return filter.replace_allow(&wanted);
        }
        filter.replace_allow(&wanted)?;
        filter.replace_blocks(Reason::List, &list_entries(self.config))
    }

    /// The settings of the programs, then the services: those that are gone make room for new ones; one that stays is never
    /// away.
    ///
    /// # Errors
    /// As [`Sync::write_lists`].
    pub fn write_services(&self, filter: &dyn Filter) -> Result<(), KernelError> {
        filter.activate(&self.kernel_config())?;
        filter.replace_services(&self.plan.services())
    }

    /// Takes what an earlier run left in the block lists: gives the bans that still hold, and removes those that mean
    /// nothing any more.
    ///
    /// # Errors
    /// The first write that fails.
    pub fn adopt(&self, filter: &dyn Filter, now: Mono) -> Result<Vec<Ban>, KernelError> {
        let (adopted, stale) = adopt(&filter.blocks(), self.plan, self.config, now);
        for entry in stale {
            filter.unblock(entry.scope, entry.prefix)?;
        }
        Ok(adopted)
    }

    fn kernel_config(&self) -> Config {
        let cpumap = if self.settings.cpumap { CONFIG_CPUMAP } else { 0 };
        let fragments = match self.settings.fragments {
            Fragments::Pass => 0,
            Fragments::Drop => CONFIG_DROP_FRAGMENTS,
        };
        let generation = self.generation.0;
        Config {
            flags: CONFIG_ACTIVE | cpumap | fragments,
            event_sample: self.settings.event_sample,
            generation_low: (generation & u64::from(u32::MAX)) as u32,
            generation_high: (generation >> 32) as u32,
        }
    }
}

/// Parts what lies in the kernel's lists into bans that still mean something and entries that mean nothing any more.
/// Lists are neither.
pub fn adopt(
    entries: &[BlockEntry],
    plan: &ServicePlan,
    config: &NodeConfig,
    now: Mono,
) -> (Vec<Ban>, Vec<BlockEntry>) {
    let (mut adopted, mut stale) = (Vec::new(), Vec::new());
    for entry in entries {
        let origin = match entry.reason {
            Reason::Ban => BanOrigin::Rules,
            Reason::Operator => BanOrigin::Operator,
            Reason::Import => BanOrigin::Fleet,
            Reason::List => continue,
        };
        match adopt_one(entry, origin, plan, config, now) {
            Some(ban) => adopted.push(ban),
            None => stale.push(*entry),
        }
    }
    (adopted, stale)
}

/// A ban by rules does not outlive its tenant's change to a mode that does not block.
fn adopt_one(
    entry: &BlockEntry,
    origin: BanOrigin,
    plan: &ServicePlan,
    config: &NodeConfig,
    now: Mono,
) -> Option<Ban> {
    let over = entry.expires_s != 0 && entry.expires_s <= now.seconds();
    let scope = plan.scope(entry.scope)?;
    if over || (origin == BanOrigin::Rules && reaches_unblocking(config, scope)) {
        return None;
    }
    let expires = (entry.expires_s != 0).then(|| Mono::default().plus_s(entry.expires_s));
    let tenant = TenantId::new(u64::from(entry.tenant)).ok();
    Some(Ban { scope, prefix: entry.prefix, origin, tenant, expires })
}

/// Whether a ban of this scope would hit visitors of a tenant whose rules do not block.
pub fn reaches_unblocking(config: &NodeConfig, scope: BanScope) -> bool {
    config.tenants.iter().filter(|tenant| tenant.mode != Mode::Block).any(|tenant| match scope {
        BanScope::Node => true,
        BanScope::Address(address) => tenant.addresses.contains(&address),
        BanScope::Tenant(id) => tenant.id == id,
    })
}

/// A ban as the kernel holds it; nothing where its address is not served here.
pub fn block_entry(ban: &Ban, plan: &ServicePlan) -> Option<BlockEntry> {
    Some(BlockEntry {
        scope: plan.scope_number(ban.scope)?,
        prefix: ban.prefix,
        reason: match ban.origin {
            BanOrigin::List => Reason::List,
            BanOrigin::Rules => Reason::Ban,
            BanOrigin::Operator => Reason::Operator,
            BanOrigin::Fleet => Reason::Import,
        },
        tenant: ban.tenant.map_or(0, TenantId::number),
        // 0 would mean for ever; a moment in the first second of the machine's life is long past.
        expires_s: ban.expires.map_or(0, |expires| expires.seconds().max(1)),
    })
}

/// `block` of node.toml, as entries of the kernel's lists.
fn list_entries(config: &NodeConfig) -> Vec<BlockEntry> {
    let entry =
        |scope, prefix| BlockEntry { scope, prefix, reason: Reason::List, tenant: scope, expires_s: 0 };
    let mut entries: Vec<BlockEntry> = config.block.iter().map(|prefix| entry(SCOPE_NODE, *prefix)).collect();
    for tenant in &config.tenants {
        entries.extend(tenant.block.iter().map(|prefix| entry(tenant.id.number(), *prefix)));
    }
    entries
}

/// `allow` of node.toml, as entries of the kernel's lists.
pub fn allow_entries(config: &NodeConfig) -> Vec<AllowEntry> {
    let entry = |scope, prefix| AllowEntry { scope, prefix };
    let mut entries: Vec<AllowEntry> = config.allow.iter().map(|prefix| entry(SCOPE_NODE, *prefix)).collect();
    for tenant in &config.tenants {
        entries.extend(tenant.allow.iter().map(|prefix| entry(tenant.id.number(), *prefix)));
    }
    entries
}

#[cfg(test)]
mod tests;
