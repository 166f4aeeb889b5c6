//! Requests by tenant, in a table of fixed size: no lock, no allocation, and no configuration can make it grow.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::labels::RequestVerdict;
use crate::model::TenantId;

/// Tenants counted apart: label values cost the scraper memory; the kernel's counters know all tenants.
const TENANTS_MAX: usize = 4_096;
/// Slots looked at before a tenant counts as "other": keeps counting O(1) in a full table.
const PROBES_MAX: usize = 32;

/// What a tenant's share of a full node was too small for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    Request,
    Handshake,
}

/// Requests by tenant and verdict.
#[derive(Debug)]
pub struct TenantRequests {
    slots: Box<[TenantSlot]>,
    others: TenantSlot,
}

#[derive(Debug, Default)]
struct TenantSlot {
    /// 0: free, which no tenant's number is.
    tenant: AtomicU32,
    counts: [AtomicU64; RequestVerdict::LABELS.len()],
    limited: [AtomicU64; 2],
}

impl Default for TenantRequests {
    fn default() -> Self {
        let slots = (0..TENANTS_MAX).map(|_| TenantSlot::default()).collect();
        Self { slots, others: TenantSlot::default() }
    }
}

impl TenantRequests {
    /// Hot: per request.
    pub fn add(&self, tenant: TenantId, verdict: RequestVerdict) {
        let slot = self.slot(tenant.number()).unwrap_or(&self.others);
        if let Some(count) = slot.counts.get(verdict as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Hot: per refusal.
    pub fn limited(&self, tenant: TenantId, what: Limited) {
        let slot = self.slot(tenant.number()).unwrap_or(&self.others);
        if let Some(count) = slot.limited.get(what as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn slot(&self, number: u32) -> Option<&TenantSlot> {
        let start = hash(number);
        (0..PROBES_MAX).find_map(|step| {
            let slot = self.slots.get(start.wrapping_add(step) % TENANTS_MAX)?;
            let mine = match slot.tenant.compare_exchange(0, number, Relaxed, Relaxed) {
                Ok(_free) => true,
                Err(holder) => holder == number,
            };
            mine.then_some(slot)
        })
    }

    /// `(tenant or "other", verdict, requests)`, without zeros.
    pub fn counts(&self) -> Vec<(String, &'static str, u64)> {
        self.named()
            .flat_map(|(tenant, slot)| {
                RequestVerdict::LABELS
                    .iter()
                    .zip(&slot.counts)
                    .map(move |(verdict, count)| (tenant.clone(), *verdict, count.load(Relaxed)))
            })
            .filter(|(_, _, count)| *count != 0)
            .collect()
    }

    /// `(tenant or "other", limited)`, without zeros.
    pub fn limited_counts(&self, what: Limited) -> Vec<(String, u64)> {
        let count =
            |slot: &TenantSlot| slot.limited.get(what as usize).map_or(0, |count| count.load(Relaxed));
        self.named().map(|(tenant, slot)| (tenant, count(slot))).filter(|(_, count)| *count != 0).collect()
    }

    fn named(&self) -> impl Iterator<Item = (String, &TenantSlot)> {
        let tenants = self.slots.iter().filter_map(|slot| match slot.tenant.load(Relaxed) {
            0 => None,
            number => Some((number.to_string(), slot)),
        });
        tenants.chain([("other".to_owned(), &self.others)])
    }
}

/// Fibonacci hashing: tenants' numbers come in runs, which it spreads.
fn hash(number: u32) -> usize {
    usize::try_from(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).unwrap_or(0)
}
