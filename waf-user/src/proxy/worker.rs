//! One worker: accepts on its own sockets and serves every connection on its own thread.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use super::buffers::Buffers;
use super::limits::{CUT_WITHIN, Times};
use super::outbox::Outbox;
use super::registry::{Open, Registry};
use super::{Command, Drain, Flows, Lists, Observation, Snapshot, listen};
use crate::event::{EventId, Journal, Reason};
use crate::model::{Mono, TenantId, Wall};
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
    /// Open connections beyond which new ones are closed at once; at most [`super::limits::CONNECTIONS_MAX`].
    pub connections_max: usize,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub lists: Arc<ArcSwap<Lists>>,
    pub journal: Journal,
    pub metrics: Arc<Metrics>,
    /// None without the kernel half.
    pub flows: Option<Arc<dyn Flows>>,
    /// Batches of at most [`super::limits::OBSERVATIONS_HELD_MAX`]. Bounded: a full queue loses the batch, which is counted.
    pub observations: mpsc::Sender<Vec<Observation>>,
    pub commands: mpsc::Receiver<Command>,
}

/// Runs until drained. Call inside the worker's own runtime, a local one or within a `LocalSet`.
pub async fn serve(listeners: Vec<Listener>, context: WorkerContext) {
    serve_within(listeners, context, Times::default()).await;
}

/// [`serve`] with waits of the caller's choice.
pub(super) async fn serve_within(listeners: Vec<Listener>, context: WorkerContext, times: Times) {
    let mut commands = context.commands;
    let worker = Rc::new(Worker {
        index: context.index,
        connections_max: context.connections_max,
        times,
        snapshot: context.snapshot,
        lists: context.lists,
        journal: context.journal,
        pool: Pool::new(Arc::clone(&context.metrics)),
        metrics: context.metrics,
        flows: context.flows,
        outbox: Outbox::new(context.observations),
        buffers: Buffers::default(),
        registry: Rc::default(),
        seed: RandomState::new(),
        ids: Cell::new(0),
    });
    let mut accepting = Vec::new();
    for listener in listeners {
        accepting.push(tokio::task::spawn_local(listen::accept(Rc::clone(&worker), listener)));
    }
    let telling = {
        let worker = Rc::clone(&worker);
        tokio::task::spawn_local(async move { worker.outbox.run(&worker.metrics).await })
    };
    let mut sweeps = tokio::time::interval(times.pool_sweep);
    let drain = loop {
        let command = tokio::select! {
            command = commands.recv() => command,
            _ = sweeps.tick() => {
                worker.pool.sweep();
                continue;
            }
        };
        match command {
            Some(Command::CloseBanned(ban)) => worker.registry.close_banned(&ban, &worker.lists.load()),
            Some(Command::CloseListed) => worker.registry.close_listed(&worker.lists.load(), Mono::now()),
            Some(Command::Drain(drain)) => break drain,
            // A node that is gone sends no drain: then there is nobody left to serve for.
            None => break Drain::at_once(Duration::ZERO),
        }
    };
    worker.registry.start_drain(drain);
    let ended = async {
        for accepting in accepting {
            // Its panic was told of; the other sockets' connections are still to be served.
            let _ = accepting.await;
        }
        worker.registry.emptied().await;
    };
    tokio::select! {
        biased;
        () = ended => {}
        () = tokio::time::sleep(drain.within) => cut_off(&worker).await,
        () = last_command(&worker, commands) => cut_off(&worker).await,
    }
    telling.abort();
    worker.outbox.send(&worker.metrics);
}

/// While draining bans hold; a second drain ends it.
async fn last_command(worker: &Worker, mut commands: mpsc::Receiver<Command>) {
    while let Some(command) = commands.recv().await {
        match command {
            Command::CloseBanned(ban) => worker.registry.close_banned(&ban, &worker.lists.load()),
            Command::CloseListed => worker.registry.close_listed(&worker.lists.load(), Mono::now()),
            Command::Drain(_) => return,
        }
    }
    // The node is gone, the connections are not.
    std::future::pending().await
}

/// Ends what is still open, each request with its record. What cannot tell of its end by itself is counted here, and
/// goes when the caller drops the LocalSet.
async fn cut_off(worker: &Worker) {
    let open = worker.registry.len();
    if open == 0 {
        return;
    }
    worker.registry.cut_all();
    if tokio::time::timeout(CUT_WITHIN, worker.registry.emptied()).await.is_err() {
        (0..worker.registry.len()).for_each(|_| worker.metrics.refused(Reason::DrainDeadline));
    }
    tracing::warn!(worker = worker.index, open, stuck = worker.registry.len(), "connections cut off");
}

/// What all connections of a worker share. One thread.
pub(super) struct Worker {
    pub index: u16,
    pub connections_max: usize,
    pub times: Times,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub lists: Arc<ArcSwap<Lists>>,
    pub journal: Journal,
    pub pool: Pool,
    pub metrics: Arc<Metrics>,
    pub flows: Option<Arc<dyn Flows>>,
    pub outbox: Outbox,
    pub buffers: Buffers,
    pub registry: Rc<Registry>,
    /// Keyed by the operating system once; with the count it gives ids that no request can foretell.
    seed: RandomState,
    ids: Cell<u64>,
}

impl Worker {
    /// Hot: per request. Notes whose connection this is.
    pub fn belongs_to(&self, open: &Open, tenant: TenantId) {
        let was_told = open.is_told();
        if !open.belongs_to(tenant) {
            self.metrics.flow_lost();
        }
        if !was_told && open.is_told() {
            self.metrics.flow_opened();
        }
    }

    /// Hot: per request. The id of the next request or event.
    pub fn event_id(&self, now: Wall) -> EventId {
        let count = self.ids.get();
        self.ids.set(count.wrapping_add(1));
        // 64 bits of the hash and 16 of the count, of which the id takes its 80.
        EventId::new(now, u128::from(self.seed.hash_one(count)) << 16 | u128::from(count & 0xffff))
    }
}
