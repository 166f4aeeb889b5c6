//! What the admin listener shows: the node's metrics with the kernel's counters of this moment, and its readiness.

use std::rc::Rc;

use waf_common::limits::{LIST_ENTRIES_MAX, SERVICES_MAX, TENANTS_MAX};

use super::admin::Pages;
use super::error::chain;
use super::filter::Filter;
use super::kernel_sync;
use super::standing::{Phase, Standing};
use crate::kernel::KernelError;
use crate::model::TenantId;
use crate::telemetry::{KernelTable, Queue};

/// Reads at the moment of the scrape: the kernel counts by itself, nothing is polled.
pub(super) struct Scrape {
    standing: Rc<Standing>,
}

impl Pages for Scrape {
    fn metrics(&self) -> String {
        self.read_queues();
        if let Some(filter) = self.standing.enforcer.borrow().filter()
            && let Err(error) = self.read_kernel(filter)
        {
            tracing::warn!(error = chain(&error), "kernel counters not read");
        }
        self.standing.metrics.expose()
    }

    fn is_ready(&self) -> bool {
        self.standing.facts.phase.get() == Phase::Serving
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
        // From what the node has written: walking the maps themselves would hold up bans.
        let enforcer = self.standing.enforcer.borrow();
        metrics.kernel_entries(KernelTable::Block, filter.blocks().len(), LIST_ENTRIES_MAX);
        let allow = kernel_sync::allow_entries(enforcer.config()).len();
        metrics.kernel_entries(KernelTable::Allow, allow, LIST_ENTRIES_MAX);
        metrics.kernel_entries(KernelTable::Services, enforcer.plan().services().len(), SERVICES_MAX);
        Ok(())
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
