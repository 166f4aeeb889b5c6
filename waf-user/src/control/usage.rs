//! What nodes tell of their tenants' traffic -> what each site uses, beside what is reserved for it and what its contract
//! says, and which sites are steadily above their contracts. Knows no clock, no store and no stream; what was told is kept
//! in memory alone, and after a start it takes a quarter of an hour until something is steady again.

pub mod report;
pub mod series;

mod tell;

pub use report::{Excess, PlacementUsage, SiteUsage};
pub use series::{Milli, Used};
pub use tell::tell;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::sync::Status;
use crate::model::{Mono, NodeName};
use series::{Counts, MINUTES, Series};

/// No kernel half serves more: what a node tells of others beyond them is not kept.
const TENANTS_OF_NODE_MAX: usize = waf_common::limits::TENANTS_MAX as usize;
/// Nodes tell every few seconds what was used; one that is silent for longer uses nothing that we know of.
const FRESH_NS: u64 = 15_000_000_000;
const MINUTE_NS: u64 = 60_000_000_000;

/// What all nodes told of late.
#[derive(Debug, Default)]
pub struct UsageBook(Mutex<HashMap<NodeName, Told>>);

/// By one node.
#[derive(Debug, Default)]
struct Told {
    last: Mono,
    swept: Mono,
    tenants: HashMap<u32, Series>,
}

impl UsageBook {
    /// Takes in what a node says at `now`. Of which tenants it may speak is looked at by whoever asks: what it says of
    /// others finds no placement.
    pub fn told(&self, node: &NodeName, status: &Status, now: Mono) {
        let mut nodes = self.lock();
        if !nodes.contains_key(node) {
            nodes.retain(|_, told| !is_old(told.last, now));
            nodes.insert(node.clone(), Told { swept: now, ..Told::default() });
        }
        let Some(told) = nodes.get_mut(node) else { return };
        told.last = now;
        if now.since_ns(told.swept) >= MINUTE_NS {
            told.swept = now;
            told.tenants.retain(|_, series| !is_old(series.last(), now));
        }
        for usage in &status.usage {
            let is_full = told.tenants.len() >= TENANTS_OF_NODE_MAX;
            if is_full && !told.tenants.contains_key(&usage.tenant) {
                continue;
            }
            let series = told.tenants.entry(usage.tenant).or_default();
            series.add(Counts::of(usage), status.interval_ms, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeName, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_old(last: Mono, now: Mono) -> bool {
    now.since_ns(last) > (MINUTES as u64 + 1) * MINUTE_NS
}

const fn is_fresh(last: Mono, now: Mono) -> bool {
    now.since_ns(last) <= FRESH_NS
}

#[cfg(test)]
mod tests;
