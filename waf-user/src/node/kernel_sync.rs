//! Writes what the node serves into the kernel's maps, in the order in which each step is safe: sockets before the
//! services that lead to them, lists before the services they protect. Adopts the bans of an earlier run.

use std::collections::HashSet;
use std::os::fd::BorrowedFd;

use ipnet::IpNet;
use waf_common::block::{BlockValue, Reason};
use waf_common::limits::EVENT_SAMPLE_DEFAULT;
use waf_common::service::{CONFIG_ACTIVE, CONFIG_CPUMAP, Config};

use super::filter::{BlockEntry, Filter, FilterError};
use super::services::ServicePlan;
use crate::config::{NodeConfig, NodeSettings};
use crate::model::{Ban, BanOrigin, BanScope, Generation, Mode, Mono, TenantId};

/// Everything that is written at start.
pub struct Sync<'a> {
    pub settings: &'a NodeSettings,
    pub config: &'a NodeConfig,
    pub plan: &'a ServicePlan,
    pub generation: Generation,
    /// The listener of each worker.
    pub sockets: &'a [(u16, BorrowedFd<'a>)],
    pub now: Mono,
}

impl Sync<'_> {
    /// Gives the bans of an earlier run that still hold.
    ///
    /// # Errors
    /// The first write that fails; what was written before stays, and a second run repeats it.
    pub fn write(&self, filter: &mut dyn Filter) -> Result<Vec<Ban>, FilterError> {
        for (worker, socket) in self.sockets {
            filter.set_socket(*worker, *socket)?;
        }
        for (id, workers) in self.plan.worker_sets() {
            filter.set_worker_set(id, &workers)?;
        }
        filter.replace_allow(&allow_entries(self.config))?;
        let adopted = self.write_blocks(filter)?;
        filter.set_config(&self.kernel_config())?;
        filter.replace_services(&self.plan.services())?;
        Ok(adopted)
    }

    /// The block lists: stale entries go, those of node.toml come, bans that still mean something stay.
    fn write_blocks(&self, filter: &mut dyn Filter) -> Result<Vec<Ban>, FilterError> {
        let listed = block_entries(self.config);
        let keys: HashSet<(u32, IpNet)> = listed.iter().map(|(scope, prefix, _)| (*scope, *prefix)).collect();
        let mut adopted = Vec::new();
        for entry in filter.blocks()? {
            if keys.contains(&(entry.0, entry.1)) {
                continue;
            }
            match self.adopt(&entry) {
                Some(ban) => adopted.push(ban),
                None => filter.unblock(entry.0, entry.1)?,
            }
        }
        for entry in listed {
            filter.block(entry)?;
        }
        Ok(adopted)
    }

    /// An entry that is an unexpired ban of something still served. A ban by rules does not outlive a tenant's
    /// change to a mode that does not block.
    fn adopt(&self, (scope, prefix, value): &BlockEntry) -> Option<Ban> {
        let origin = match Reason::from_number(value.reason)? {
            Reason::Ban => BanOrigin::Rules,
            Reason::Operator => BanOrigin::Operator,
            Reason::List | Reason::Import => return None,
        };
        if !value.is_live(self.now.seconds()) {
            return None;
        }
        let scope = self.plan.scope(*scope)?;
        if origin == BanOrigin::Rules && self.reaches_unblocking(scope) {
            return None;
        }
        let expires = (value.expires_s != 0).then(|| Mono(u64::from(value.expires_s) * 1_000_000_000));
        let tenant = TenantId::new(u64::from(value.tenant)).ok();
        Some(Ban { scope, prefix: *prefix, origin, tenant, expires })
    }

    fn reaches_unblocking(&self, scope: BanScope) -> bool {
        self.config.tenants.iter().filter(|tenant| tenant.mode != Mode::Block).any(|tenant| match scope {
            BanScope::Node => true,
            BanScope::Address(address) => tenant.addresses.contains(&address),
            BanScope::Tenant(id) => tenant.id == id,
        })
    }

    fn kernel_config(&self) -> Config {
        let cpumap = if self.settings.cpumap { CONFIG_CPUMAP } else { 0 };
        let generation = self.generation.0;
        Config {
            flags: CONFIG_ACTIVE | cpumap,
            event_sample: EVENT_SAMPLE_DEFAULT,
            generation_low: (generation & u64::from(u32::MAX)) as u32,
            generation_high: (generation >> 32) as u32,
        }
    }
}

/// A ban as the kernel holds it; nothing where its address is not served here.
pub fn block_entry(ban: &Ban, plan: &ServicePlan) -> Option<BlockEntry> {
    let reason = match ban.origin {
        BanOrigin::List => Reason::List,
        BanOrigin::Rules => Reason::Ban,
        BanOrigin::Operator => Reason::Operator,
    };
    let value = BlockValue {
        reason: reason as u32,
        // 0 would mean for ever; a moment in the first second of the machine's life is long past.
        expires_s: ban.expires.map_or(0, |expires| expires.seconds().max(1)),
        tenant: ban.tenant.map_or(0, TenantId::number),
    };
    Some((plan.scope_number(ban.scope)?, ban.prefix, value))
}

/// `block` of node.toml, as entries of the kernel's lists.
pub fn block_entries(config: &NodeConfig) -> Vec<BlockEntry> {
    let value = |tenant| BlockValue { reason: Reason::List as u32, expires_s: 0, tenant };
    let mut entries: Vec<BlockEntry> = config.block.iter().map(|prefix| (0, *prefix, value(0))).collect();
    for tenant in &config.tenants {
        let number = tenant.id.number();
        entries.extend(tenant.block.iter().map(|prefix| (number, *prefix, value(number))));
    }
    entries
}

fn allow_entries(config: &NodeConfig) -> Vec<(u32, IpNet)> {
    let mut entries: Vec<(u32, IpNet)> = config.allow.iter().map(|prefix| (0, *prefix)).collect();
    for tenant in &config.tenants {
        entries.extend(tenant.allow.iter().map(|prefix| (tenant.id.number(), *prefix)));
    }
    entries
}

#[cfg(test)]
mod tests;
