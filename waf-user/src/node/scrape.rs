//! What the admin listener shows: the node's metrics with the kernel's counters of this moment, and its readiness.

use std::rc::Rc;

use waf_common::limits::{FLOWS_MAX, LIST_ENTRIES_MAX, PREFIXES_MAX, SERVICES_MAX, TENANTS_MAX};

use super::admin::Pages;
use super::filter::Filter;
use super::kernel_sync;
use super::standing::{Phase, Standing};
use crate::kernel::{KernelError, ListMap, allow_map, block_map};
use crate::model::{TenantId, chain};
use crate::telemetry::{KernelTable, Queue};

/// Reads at the moment of the scrape: the kernel counts by itself, nothing is polled.
pub(super) struct Scrape {
    standing: Rc<Standing>,
}

impl Pages for Scrape {
    fn metrics(&self) -> String {
        self.read_queues();
        self.standing.metrics.bans_active(self.standing.enforcer.borrow().bans().len());
        if let Some(filter) = self.standing.enforcer.borrow().filter()
            && let Err(error) = self.read_kernel(filter)
        {
            tracing::warn!(error = chain(&error), "kernel counters not read");
        }
        self.standing.metrics.expose()
    }

    fn is_ready(&self) -> bool {
        self.standing.facts.phase.get() == Phase::Serving && !self.standing.facts.waits.get()
    }
}

impl Scrape {
    pub fn new(standing: Rc<Standing>) -> Self {
        Self { standing }
    }

    fn read_kernel(&self, filter: &dyn Filter) -> Result<(), KernelError> {
        let metrics = &self.standing.metrics;
        metrics.kernel_counters(&filter.counters()?);
        let tenants: Vec<_> = filter
            .tenant_counters()?
            .into_iter()
            .filter_map(|(number, counters)| Some((TenantId::new(u64::from(number)).ok()?, counters)))
            .collect();
        metrics.tenant_counters(&tenants);
        metrics.kernel_entries(KernelTable::Tenants, tenants.len(), TENANTS_MAX);
        self.read_fill(filter);
        Ok(())
    }

    /// From what the node has written: walking the maps themselves would hold up bans.
    fn read_fill(&self, filter: &dyn Filter) {
        let metrics = &self.standing.metrics;
        let enforcer = self.standing.enforcer.borrow();
        let plan = enforcer.plan();
        metrics.kernel_entries(KernelTable::Services, plan.services().len(), SERVICES_MAX);
        metrics.kernel_entries(KernelTable::WorkerSets, plan.worker_sets().len(), SERVICES_MAX);
        let prefixes = self.standing.settings.borrow().service_prefixes.len();
        metrics.kernel_entries(KernelTable::Prefixes, prefixes, PREFIXES_MAX);
        let allow = kernel_sync::allow_entries(enforcer.config());
        let allow: Vec<ListMap> = allow.iter().map(|entry| allow_map(entry.prefix)).collect();
        let block: Vec<ListMap> = filter.blocks().iter().map(|entry| block_map(entry.prefix)).collect();
        for (table, list, map) in [
            (KernelTable::Allow4, &allow, ListMap::V4),
            (KernelTable::Allow6, &allow, ListMap::V6),
            (KernelTable::Block4, &block, ListMap::V4),
            (KernelTable::Block6, &block, ListMap::V6),
            (KernelTable::BlockExact, &block, ListMap::Exact),
        ] {
            let entries = list.iter().filter(|own| **own == map).count();
            metrics.kernel_entries(table, entries, LIST_ENTRIES_MAX);
        }
        // Beyond its size the kernel forgets the least recently used.
        let flows = usize::try_from(metrics.flows_open()).unwrap_or(usize::MAX).min(FLOWS_MAX as usize);
        metrics.kernel_entries(KernelTable::Flows, flows, FLOWS_MAX);
    }

    fn read_queues(&self) {
        let standing = &self.standing;
        let observed = standing.observed.upgrade();
        let waiting = observed.map_or(0, |observed| observed.max_capacity() - observed.capacity());
        standing.metrics.queue(Queue::Observations, waiting);
        let commands = standing.commands.iter().map(|worker| worker.max_capacity() - worker.capacity());
        standing.metrics.queue(Queue::Commands, commands.sum());
        standing.metrics.queue(Queue::Log, standing.journal.waiting());
    }
}
