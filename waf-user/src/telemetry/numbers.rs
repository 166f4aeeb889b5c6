//! Where the counts lie. Names and help texts are given in the exposition alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use waf_common::limits::WORKERS_MAX;
use waf_common::outcome::{Counters, TenantCounters};

use super::fleet::FleetNumbers;
use super::histogram::Histogram;
use super::labels::{HandshakeResult, KernelTable, OriginConnect, Queue, ReloadResult, RequestVerdict};
use super::tenants::TenantRequests;
use crate::event::Reason;
use crate::model::TenantId;

/// One counter a label value.
#[derive(Debug)]
pub struct Counts<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> Counts<N> {
    /// Hot: per request. `at`: the label's variant as a number.
    pub fn add(&self, at: usize) {
        if let Some(count) = self.0.get(at) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// For what is a level, not a count.
    pub fn set(&self, at: usize, level: u64) {
        if let Some(count) = self.0.get(at) {
            count.store(level, Relaxed);
        }
    }

    /// All counts in the order of their numbers.
    pub fn each(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|count| count.load(Relaxed))
    }

    /// Counts beside their label values, both in the order of the variants' numbers.
    pub fn with(
        &self,
        labels: impl IntoIterator<Item = &'static str>,
    ) -> impl Iterator<Item = (&'static str, u64)> {
        labels.into_iter().zip(self.0.iter().map(|count| count.load(Relaxed)))
    }
}

/// All numbers of a node.
#[derive(Debug, Default)]
pub struct Numbers {
    pub requests: Counts<{ RequestVerdict::LABELS.len() }>,
    pub request_duration: Histogram,
    pub added: Histogram,
    pub inspection: Histogram,
    pub tenants: TenantRequests,
    pub refusals: Counts<{ Reason::COUNT }>,
    /// By worker.
    pub connections_opened: Counts<WORKERS_MAX>,
    pub connections_closed: Counts<WORKERS_MAX>,
    pub workers: AtomicU64,
    pub flows_lost: AtomicU64,
    pub flows_opened: AtomicU64,
    pub flows_closed: AtomicU64,
    pub queues: Counts<{ Queue::LABELS.len() }>,
    pub kernel_entries: Counts<{ KernelTable::LABELS.len() }>,
    pub kernel_entries_max: Counts<{ KernelTable::LABELS.len() }>,
    pub handshakes: Counts<{ HandshakeResult::LABELS.len() }>,
    pub origin_connects: Counts<{ OriginConnect::LABELS.len() }>,
    pub observations_lost: AtomicU64,
    pub drop_events_lost: AtomicU64,
    pub feedback_sources: AtomicU64,
    pub feedback_sources_lost: AtomicU64,
    pub repeaters: AtomicU64,
    pub repeaters_lost: AtomicU64,
    pub bans_active: AtomicU64,
    pub bans_made: AtomicU64,
    pub bans_not_made: AtomicU64,
    pub reloads: Counts<{ ReloadResult::LABELS.len() }>,
    pub generation: AtomicU64,
    pub request_lines_lost: AtomicU64,
    pub events_lost: AtomicU64,
    pub events_withheld: AtomicU64,
    pub fleet: FleetNumbers,
    /// Written and read by the admin listener only.
    pub kernel: Mutex<KernelNumbers>,
}

/// What was last read from the kernel half.
#[derive(Debug, Default)]
pub struct KernelNumbers {
    pub counters: Option<Counters>,
    pub tenants: Vec<(TenantId, TenantCounters)>,
    pub xdp_mode: Option<&'static str>,
}
