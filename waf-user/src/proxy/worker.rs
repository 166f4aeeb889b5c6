//! One worker: accepts on its own sockets and serves every connection on its own thread.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use super::limits::Times;
use super::registry::Registry;
use super::{Command, Lists, Observation, Snapshot, listen};
use crate::event::{EventId, Journal};
use crate::model::Wall;
use crate::origin::Pool;
use crate::telemetry::Metrics;

/// A listening socket of a worker, non-blocking. Whether a connection is TLS follows from its own local port: with the
/// kernel half one dual-stack listener takes the flows of all services, and `getsockname` gives the service address.
#[derive(Debug)]
pub struct Listener {
    pub socket: TcpListener,
}

/// Everything a worker is given.
pub struct WorkerContext {
    pub index: u16,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub lists: Arc<ArcSwap<Lists>>,
    pub journal: Journal,
    pub metrics: Arc<Metrics>,
    /// Bounded: a full queue loses the observation, which is counted.
    pub observations: mpsc::Sender<Observation>,
    pub commands: mpsc::Receiver<Command>,
}

/// Runs until drained. Call inside the worker's own current-thread runtime, within a `LocalSet`.
pub async fn serve(listeners: Vec<Listener>, context: WorkerContext) {
    serve_within(listeners, context, Times::default()).await;
}

/// [`serve`] with waits of the caller's choice.
pub(super) async fn serve_within(listeners: Vec<Listener>, context: WorkerContext, times: Times) {
    let mut commands = context.commands;
    let worker = Rc::new(Worker {
        index: context.index,
        times,
        snapshot: context.snapshot,
        lists: context.lists,
        journal: context.journal,
        pool: Pool::new(Arc::clone(&context.metrics)),
        metrics: context.metrics,
        observations: context.observations,
        registry: Rc::default(),
        seed: RandomState::new(),
        ids: Cell::new(0),
    });
    for listener in listeners {
        tokio::task::spawn_local(listen::accept(Rc::clone(&worker), listener));
    }
    let mut sweeps = tokio::time::interval(times.pool_sweep);
    let within = loop {
        let command = tokio::select! {
            command = commands.recv() => command,
            _ = sweeps.tick() => {
                worker.pool.sweep();
                continue;
            }
        };
        match command {
            Some(Command::CloseBanned(ban)) => worker.registry.close_banned(&ban, &worker.lists.load()),
            Some(Command::Drain { within }) => break within,
            // A node that is gone sends no drain: then there is nobody left to serve for.
            None => break Duration::ZERO,
        }
    };
    worker.registry.start_drain();
    // What is still open at the deadline is cut off when the caller drops the LocalSet.
    let emptied = tokio::time::timeout(within, worker.registry.emptied()).await;
    if emptied.is_err() {
        tracing::warn!(worker = worker.index, open = worker.registry.len(), "drain deadline reached");
    }
}

/// What all connections of a worker share. One thread.
pub(super) struct Worker {
    pub index: u16,
    pub times: Times,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub lists: Arc<ArcSwap<Lists>>,
    pub journal: Journal,
    pub pool: Pool,
    pub metrics: Arc<Metrics>,
    pub observations: mpsc::Sender<Observation>,
    pub registry: Rc<Registry>,
    /// Keyed by the operating system once; with the count it gives ids that no request can foretell.
    seed: RandomState,
    ids: Cell<u64>,
}

impl Worker {
    /// Hot: per request. The id of the next request or event.
    pub fn event_id(&self, now: Wall) -> EventId {
        let count = self.ids.get();
        self.ids.set(count.wrapping_add(1));
        let high = u128::from(self.seed.hash_one((count, true)));
        let low = u128::from(self.seed.hash_one((count, false)));
        EventId::new(now, high << 64 | low)
    }
}
