//! One worker: accepts on its own sockets and serves every connection on its own thread.

use std::net::TcpListener;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use super::{Command, Lists, Observation, Snapshot};
use crate::event::Journal;
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
pub async fn serve(_listeners: Vec<Listener>, mut context: WorkerContext) {
    while context.commands.recv().await.is_some() {}
}
