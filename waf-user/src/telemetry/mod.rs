//! All metric names with help text; counters; exposition. What a number means for the node is decided elsewhere.

mod exposition;
mod fleet;
mod histogram;
mod labels;
mod numbers;
mod tenants;

#[cfg(test)]
mod tests;

pub use labels::{HandshakeResult, KernelTable, OriginConnect, Queue, ReloadResult, RequestVerdict};

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use waf_common::outcome::{Counters, TenantCounters};

use self::numbers::Numbers;
use self::tenants::Limited;
use crate::event::{LossCounter, Reason};
use crate::model::{Generation, TenantId};

/// Every metric of a node. Shared by all workers; counting takes no lock and allocates nothing.
#[derive(Debug, Default)]
pub struct Metrics {
    numbers: Arc<Numbers>,
}

impl Metrics {
    /// Hot: per request. `inspect`: time in the rules; `total`: from the request's first byte to the answer's last.
    pub fn request(&self, verdict: RequestVerdict, inspect: Duration, total: Duration) {
        self.numbers.requests.add(verdict as usize);
        self.numbers.inspection.observe(inspect);
        self.numbers.request_duration.observe(total);
    }

    /// Hot: per request. What we added to the origin's own time: total less the waits for origin and visitor.
    pub fn added_latency(&self, added: Duration) {
        self.numbers.added.observe(added);
    }

    /// Hot: per request. Tenants beyond the table's size are counted together.
    pub fn tenant_request(&self, tenant: TenantId, verdict: RequestVerdict) {
        self.numbers.tenants.add(tenant, verdict);
    }

    /// Hot: per refusal. A request beyond its tenant's share of a full node.
    pub fn request_limited(&self, tenant: TenantId) {
        self.numbers.tenants.limited(tenant, Limited::Request);
    }

    /// Hot: per refusal. A TLS handshake beyond its tenant's share of a full node.
    pub fn handshake_limited(&self, tenant: TenantId) {
        self.numbers.tenants.limited(tenant, Limited::Handshake);
    }

    /// Hot: per refusal. One refusal beyond a share of which no event tells, as there are so many alike.
    pub fn event_withheld(&self) {
        self.numbers.events_withheld.fetch_add(1, Relaxed);
    }

    /// Hot: per refusal. One refused request or connection.
    pub fn refused(&self, reason: Reason) {
        self.numbers.refusals.add(reason.index());
    }

    /// Hot: per connection. `worker`: its number.
    pub fn connection_opened(&self, worker: u16) {
        self.numbers.connections_opened.add(usize::from(worker));
    }

    /// Hot: per connection.
    pub fn connection_closed(&self, worker: u16) {
        self.numbers.connections_closed.add(usize::from(worker));
    }

    /// The tenant of a connection to a shared address could not be told to the kernel half.
    pub fn flow_lost(&self) {
        self.numbers.flows_lost.fetch_add(1, Relaxed);
    }

    /// Hot: per connection. The kernel half was told whose a connection to a shared address is.
    pub fn flow_opened(&self) {
        self.numbers.flows_opened.fetch_add(1, Relaxed);
    }

    /// Hot: per connection. One of which it was told is closed.
    pub fn flow_closed(&self) {
        self.numbers.flows_closed.fetch_add(1, Relaxed);
    }

    /// Connections of which the kernel half was told and that are still open.
    pub fn flows_open(&self) -> u64 {
        // Closed first: what opens and closes in between must not make it less than nothing.
        let closed = self.numbers.flows_closed.load(Relaxed);
        self.numbers.flows_opened.load(Relaxed).saturating_sub(closed)
    }

    /// What waits in the node's queues; given before each exposition.
    pub fn queue(&self, queue: Queue, waiting: usize) {
        self.numbers.queues.set(queue as usize, wide(waiting));
    }

    /// How many entries a table of the kernel half holds, and how many it can; given before each exposition.
    pub fn kernel_entries(&self, table: KernelTable, entries: usize, max: u32) {
        self.numbers.kernel_entries.set(table as usize, wide(entries));
        self.numbers.kernel_entries_max.set(table as usize, u64::from(max));
    }

    /// Workers of this node.
    pub fn workers(&self, workers: u16) {
        self.numbers.workers.store(u64::from(workers), Relaxed);
    }

    pub fn tls_handshake(&self, succeeded: bool) {
        let result = if succeeded { HandshakeResult::Completed } else { HandshakeResult::Failed };
        self.numbers.handshakes.add(result as usize);
    }

    /// What came of the wish for an origin connection.
    pub fn origin(&self, connect: OriginConnect) {
        self.numbers.origin_connects.add(connect as usize);
    }

    /// A worker's observations found the feedback queue full.
    pub fn observations_lost(&self, observations: u64) {
        self.numbers.observations_lost.fetch_add(observations, Relaxed);
    }

    /// A sample of a kernel drop found the rate of such events used up.
    pub fn drop_event_lost(&self) {
        self.numbers.drop_events_lost.fetch_add(1, Relaxed);
    }

    /// Sources that the feedback table holds.
    pub fn feedback_sources(&self, sources: usize) {
        self.numbers.feedback_sources.store(wide(sources), Relaxed);
    }

    /// Sources that the full feedback table could not take.
    pub fn feedback_sources_lost(&self, sources: u64) {
        self.numbers.feedback_sources_lost.fetch_add(sources, Relaxed);
    }

    /// Sources whose next ban lasts longer.
    pub fn repeaters(&self, sources: usize) {
        self.numbers.repeaters.store(wide(sources), Relaxed);
    }

    /// Sources that the full table of repeaters could not take.
    pub fn repeaters_lost(&self, sources: u64) {
        self.numbers.repeaters_lost.fetch_add(sources, Relaxed);
    }

    /// The rules' refusals made a ban.
    pub fn ban_made(&self) {
        self.numbers.bans_made.fetch_add(1, Relaxed);
    }

    /// A configuration was taken, or refused.
    pub fn reload(&self, succeeded: bool) {
        let result = if succeeded { ReloadResult::Taken } else { ReloadResult::Refused };
        self.numbers.reloads.add(result as usize);
    }

    /// A ban by rules that was not made: its source is protected, or the table is full. Gives how many there were before.
    pub fn ban_not_made(&self) -> u64 {
        self.numbers.bans_not_made.fetch_add(1, Relaxed)
    }

    /// Bans in force on this node.
    pub fn bans_active(&self, bans: usize) {
        self.numbers.bans_active.store(wide(bans), Relaxed);
    }

    /// Generation of the snapshot that is served.
    pub fn generation(&self, generation: Generation) {
        self.numbers.generation.store(generation.0, Relaxed);
    }

    /// The kernel half's counters, summed over the CPUs; given before each exposition.
    pub fn kernel_counters(&self, counters: &Counters) {
        self.kernel().counters = Some(*counters);
    }

    /// The kernel half's counters by tenant, summed over the CPUs; given before each exposition.
    pub fn tenant_counters(&self, counters: &[(TenantId, TenantCounters)]) {
        let kernel = &mut self.kernel().tenants;
        kernel.clear();
        kernel.extend_from_slice(counters);
    }

    /// How XDP is attached: `native` or `generic`.
    pub fn xdp_mode(&self, mode: &'static str) {
        self.kernel().xdp_mode = Some(mode);
    }

    /// OpenMetrics text exposition (content type `application/openmetrics-text; version=1.0.0; charset=utf-8`).
    pub fn expose(&self) -> String {
        exposition::text(&self.numbers)
    }

    /// Only the admin listener meets here. What a panicking holder left is whole: single assignments.
    fn kernel(&self) -> std::sync::MutexGuard<'_, numbers::KernelNumbers> {
        self.numbers.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LossCounter for Metrics {
    fn requests_lost(&self, lines: u64) {
        self.numbers.request_lines_lost.fetch_add(lines, Relaxed);
    }

    fn events_lost(&self, events: u64) {
        self.numbers.events_lost.fetch_add(events, Relaxed);
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
