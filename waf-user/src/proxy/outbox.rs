//! What a worker observed -> batches for the node. A thread that is woken for every request costs more than the request's
//! own work; gathered for a moment, thousands of requests wake it a few hundred times.

use std::cell::{Cell, RefCell};

use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::Observation;
use super::limits::{OBSERVATIONS_HELD_MAX, OBSERVED_WITHIN, REFUSED_EVERY};
use crate::model::Mono;
use crate::telemetry::Metrics;

/// Observations on their way to the node, of one worker.
#[derive(Debug)]
pub(super) struct Outbox {
    node: mpsc::Sender<Vec<Observation>>,
    held: RefCell<Vec<Observation>>,
    /// When the last batch went.
    sent: Cell<Mono>,
    begun: Notify,
}

impl Outbox {
    pub(super) fn new(node: mpsc::Sender<Vec<Observation>>) -> Self {
        Self { node, held: RefCell::default(), sent: Cell::default(), begun: Notify::new() }
    }

    /// Hot: per request. A refusal may make a ban, so it goes at once, and what came before it with it.
    pub(super) fn put(&self, seen: Observation, metrics: &Metrics) {
        let mut held = self.held.borrow_mut();
        held.push(seen);
        let len = held.len();
        drop(held);
        let urgent = seen.refused && seen.at.since_ns(self.sent.get()) >= REFUSED_EVERY.as_nanos() as u64;
        if urgent || len >= OBSERVATIONS_HELD_MAX {
            self.sent.set(seen.at);
            self.send(metrics);
        } else if len == 1 {
            self.begun.notify_one();
        }
    }

    /// Sends what is held.
    pub(super) fn send(&self, metrics: &Metrics) {
        let mut held = self.held.borrow_mut();
        if held.is_empty() {
            return;
        }
        let len = held.len() as u64;
        let batch = std::mem::replace(&mut *held, Vec::with_capacity(OBSERVATIONS_HELD_MAX));
        if self.node.try_send(batch).is_err() {
            metrics.observations_lost(len);
        }
    }

    /// Sees to it that nothing is held for longer than [`OBSERVED_WITHIN`]. Never ends.
    pub(super) async fn run(&self, metrics: &Metrics) {
        loop {
            self.begun.notified().await;
            sleep(OBSERVED_WITHIN).await;
            self.send(metrics);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TenantId;

    fn seen(at_us: u64, refused: bool) -> Observation {
        let tenant = TenantId::new(1).expect("a tenant");
        let (source, destination) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        Observation { tenant, source, destination, at: Mono(at_us * 1_000), refused }
    }

    #[test]
    fn refusals_go_at_once_and_the_rest_in_batches() {
        let full = OBSERVATIONS_HELD_MAX as u64;
        let every = REFUSED_EVERY.as_micros() as u64;
        // What is observed at which microsecond; the batches that went.
        let rows = [
            ("passed", (1..full).map(|at| (at, false)).collect::<Vec<_>>(), vec![]),
            ("a batch of passed", (1..=full).map(|at| (at, false)).collect(), vec![full]),
            ("refused after passed", vec![(9_000, false), (9_001, true)], vec![2]),
            ("too soon", vec![(9_000, true), (9_000 + every - 1, true)], vec![1]),
            ("again", vec![(9_000, true), (9_000 + every, true)], vec![1, 1]),
        ];
        let metrics = Metrics::default();
        for (name, observed, expected) in rows {
            let (node, mut batches) = mpsc::channel(8);
            let outbox = Outbox::new(node);
            observed.into_iter().for_each(|(at, refused)| outbox.put(seen(at, refused), &metrics));
            let went: Vec<u64> =
                std::iter::from_fn(|| batches.try_recv().ok()).map(|batch| batch.len() as u64).collect();
            assert_eq!(went, expected, "{name}");
        }
    }

    #[test]
    fn what_finds_no_place_is_counted() {
        let metrics = Metrics::default();
        let (node, _batches) = mpsc::channel(1);
        let outbox = Outbox::new(node);
        for at in 1..=4 {
            outbox.put(seen(at * 1_000_000, true), &metrics);
        }
        assert!(metrics.expose().contains("_observations_lost_total 3\n"));
    }

    #[test]
    fn nothing_is_held_for_long() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let metrics = Metrics::default();
            let (node, mut batches) = mpsc::channel(1);
            let outbox = Outbox::new(node);
            outbox.put(seen(1, false), &metrics);
            let batch = tokio::select! {
                () = outbox.run(&metrics) => None,
                batch = tokio::time::timeout(std::time::Duration::from_secs(20), batches.recv()) => batch.expect("in time"),
            };
            assert_eq!(batch.map(|batch| batch.len()), Some(1));
        });
    }
}
