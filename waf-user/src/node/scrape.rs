//! What the admin listener shows: the node's metrics with the kernel's counters of this moment, and its readiness.

use std::rc::Rc;

use super::admin::Pages;
use super::error::chain;
use super::filter::Filter;
use super::standing::{Phase, Standing};
use crate::kernel::KernelError;
use crate::model::TenantId;

/// Reads at the moment of the scrape: the kernel counts by itself, nothing is polled.
pub(super) struct Scrape {
    standing: Rc<Standing>,
}

impl Pages for Scrape {
    fn metrics(&self) -> String {
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
        Ok(())
    }
}
