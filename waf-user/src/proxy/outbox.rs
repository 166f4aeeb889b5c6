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
