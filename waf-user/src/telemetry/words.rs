//! Counters by a word or a number that is met only at run time, in tables of fixed size: no lock, no allocation, and no
//! peer can make them grow.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::labels::RequestVerdict;
use crate::model::TenantId;

/// Words counted apart: every reason of ours, with spare for those to come.
const WORDS_MAX: usize = 256;
/// Tenants counted apart: label values cost the scraper memory; the kernel's counters know all tenants.
const TENANTS_MAX: usize = 4_096;
/// Slots looked at before a tenant counts as "other": keeps counting O(1) in a full table.
const PROBES_MAX: usize = 32;

/// Counters by static words, such as refusal reasons.
#[derive(Debug)]
pub struct WordCounters {
    slots: [WordSlot; WORDS_MAX],
}

#[derive(Debug, Default)]
struct WordSlot {
    word: OnceLock<&'static str>,
    count: AtomicU64,
}

impl Default for WordCounters {
    fn default() -> Self {
        Self { slots: std::array::from_fn(|_| WordSlot::default()) }
    }
}

impl WordCounters {
    /// Adds one; an unknown word takes the next free slot. A table that is full of other words loses the count: there are
    /// fewer words in the source than slots.
    pub fn add(&self, word: &'static str) {
        let start = hash(word.as_bytes());
        for step in 0..WORDS_MAX {
            let Some(slot) = self.slots.get(start.wrapping_add(step) % WORDS_MAX) else { return };
            if *slot.word.get_or_init(|| word) == word {
                slot.count.fetch_add(1, Relaxed);
                return;
            }
        }
    }

    /// Words met so far, by name.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts: Vec<_> = self
            .slots
            .iter()
            .filter_map(|slot| slot.word.get().map(|word| (*word, slot.count.load(Relaxed))))
            .collect();
        counts.sort_unstable();
        counts
    }
}

/// Requests by tenant and verdict.
#[derive(Debug)]
pub struct TenantRequests {
    slots: Box<[TenantSlot]>,
    others: [AtomicU64; RequestVerdict::LABELS.len()],
}

#[derive(Debug, Default)]
struct TenantSlot {
    /// 0: free, which no tenant's number is.
    tenant: AtomicU32,
    counts: [AtomicU64; RequestVerdict::LABELS.len()],
}

impl Default for TenantRequests {
    fn default() -> Self {
        let slots = (0..TENANTS_MAX).map(|_| TenantSlot::default()).collect();
        Self { slots, others: Default::default() }
    }
}

impl TenantRequests {
    /// Hot: per request.
    pub fn add(&self, tenant: TenantId, verdict: RequestVerdict) {
        let counts = self.slot(tenant.number()).map_or(&self.others, |slot| &slot.counts);
        if let Some(count) = counts.get(verdict as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn slot(&self, number: u32) -> Option<&TenantSlot> {
        let start = hash(&number.to_ne_bytes());
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
        let tenants = self.slots.iter().filter_map(|slot| match slot.tenant.load(Relaxed) {
            0 => None,
            number => Some((number.to_string(), &slot.counts)),
        });
        let all = tenants.chain([("other".to_owned(), &self.others)]);
        all.flat_map(|(tenant, counts)| {
            RequestVerdict::LABELS
                .iter()
                .zip(counts)
                .map(move |(verdict, count)| (tenant.clone(), *verdict, count.load(Relaxed)))
        })
        .filter(|(_, _, count)| *count != 0)
        .collect()
    }
}

/// FNV-1a: short keys, none chosen by a peer.
fn hash(bytes: &[u8]) -> usize {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 16).unwrap_or(usize::MAX)
}
