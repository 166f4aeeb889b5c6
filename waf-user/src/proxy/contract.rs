//! What a tenant may take of the node while the node has less than is asked for: counts of what it asked and got, and for
//! requests and handshakes a rate that all workers share. Who may have which rate is decided by the node.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::model::Mono;

/// A pause after which so much may come at once; a browser that opens a page asks for this much together.
const BURST_NS: u64 = 100_000_000;
/// Where a rate is small, so many more may come at once all the same.
const BURST_PERIODS: u64 = 4;
/// Events of refusals for one tenant a second; the counters know all of them.
const EVENTS_PER_S: u64 = 20;
const SECOND_NS: u64 = 1_000_000_000;
/// A rate's unit is a thousandth a second: a share of many tenants may be less than one a second.
const PERIOD_OF_ONE_NS: u64 = 1_000 * SECOND_NS;
/// No rate: all may come.
const FREE: u64 = 0;
/// The rate nought: none may come.
const SHUT: u64 = u64::MAX;

/// Lets through at most a rate, told by the node; free until it is told one.
///
/// One cell holds when the next arrival is due at that rate; an arrival may be early by the burst (GCRA, ITU-T I.371).
#[derive(Debug, Default)]
pub struct Gate {
    asked: AtomicU64,
    refused: AtomicU64,
    /// Between two arrivals, or [`FREE`] or [`SHUT`].
    period_ns: AtomicU64,
    due_ns: AtomicU64,
}

impl Gate {
    /// Hot: per request. Whether one more may pass; counts it either way.
    pub fn admit(&self, now: Mono) -> bool {
        self.asked.fetch_add(1, Relaxed);
        let admitted = match self.period_ns.load(Relaxed) {
            FREE => return true,
            SHUT => false,
            period => self.take(period, now.0),
        };
        if !admitted {
            self.refused.fetch_add(1, Relaxed);
        }
        admitted
    }

    fn take(&self, period: u64, now: u64) -> bool {
        let burst = BURST_NS.max(period.saturating_mul(BURST_PERIODS));
        let taken = self.due_ns.fetch_update(Relaxed, Relaxed, |due| {
            (due <= now.saturating_add(burst)).then(|| due.max(now).saturating_add(period))
        });
        taken.is_ok()
    }

    /// `rate`: in thousandths a second; None lets all through.
    pub fn limit(&self, rate: Option<u64>) {
        let period =
            rate.map_or(FREE, |rate| PERIOD_OF_ONE_NS.checked_div(rate).map_or(SHUT, |ns| ns.max(1)));
        let before = self.period_ns.swap(period, Relaxed);
        if before == FREE && period != FREE {
            // What was due at an older rate is no debt.
            self.due_ns.store(0, Relaxed);
        }
    }

    /// All that ever came.
    pub fn asked(&self) -> u64 {
        self.asked.load(Relaxed)
    }

    /// Those of them that were turned away.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    pub fn is_limited(&self) -> bool {
        self.period_ns.load(Relaxed) != FREE
    }
}

/// One tenant's part of the node: shared by the workers, and kept from one snapshot to the next.
#[derive(Debug, Default)]
pub struct Allowance {
    pub requests: Gate,
    pub handshakes: Gate,
    bytes: AtomicU64,
    /// Second of CLOCK_MONOTONIC in the upper half, events in it in the lower.
    events: AtomicU64,
}

impl Allowance {
    /// Hot: per piece of a body. Bytes passed on, either way.
    pub fn passed(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// All bytes ever passed on.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Hot: per refusal. Whether it gets an event of its own; see [`EVENTS_PER_S`].
    pub fn tells(&self, now: Mono) -> bool {
        let second = u64::from(now.seconds()) << 32;
        let told = self.events.fetch_update(Relaxed, Relaxed, |events| {
            if events & !u64::from(u32::MAX) != second {
                return Some(second | 1);
            }
            (events & u64::from(u32::MAX) < EVENTS_PER_S).then_some(events + 1)
        });
        told.is_ok()
    }
}

#[cfg(test)]
mod tests;
