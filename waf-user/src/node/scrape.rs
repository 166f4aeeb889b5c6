//! What the admin listener shows: the node's metrics with the kernel's counters of this moment, and its readiness.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::admin::Pages;
use super::enforce::Enforcer;
use super::error::chain;
use super::filter::Filter;
use crate::kernel::KernelError;
use crate::model::TenantId;
use crate::telemetry::Metrics;

/// Reads at the moment of the scrape: the kernel counts by itself, nothing is polled.
pub(super) struct Scrape {
    pub enforcer: Rc<RefCell<Enforcer>>,
    pub metrics: Arc<Metrics>,
    pub ready: Rc<Cell<bool>>,
}

impl Pages for Scrape {
    fn metrics(&self) -> String {
        if let Some(filter) = self.enforcer.borrow().filter()
            && let Err(error) = self.read_kernel(filter)
        {
            tracing::warn!(error = chain(&error), "kernel counters not read");
        }
        self.metrics.expose()
    }

    fn is_ready(&self) -> bool {
        self.ready.get()
    }
}

impl Scrape {
    fn read_kernel(&self, filter: &dyn Filter) -> Result<(), KernelError> {
        self.metrics.kernel_counters(&filter.counters()?);
        let tenants: Vec<_> = filter
            .tenant_counters()?
            .into_iter()
            .filter_map(|(number, counters)| Some((TenantId::new(u64::from(number)).ok()?, counters)))
            .collect();
        self.metrics.tenant_counters(&tenants);
        Ok(())
    }
}
