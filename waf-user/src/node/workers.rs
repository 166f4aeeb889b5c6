//! Threads of the data plane: one current-thread runtime each, pinned to its CPU, running [`crate::proxy::serve`].

use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;

use super::{NodeError, cpus};
use crate::proxy::{Listener, WorkerContext, serve};

/// A worker under way.
pub struct Worker {
    pub index: u16,
    pub thread: JoinHandle<()>,
    /// Resolves when the worker has returned, with an error when it panicked.
    pub ended: oneshot::Receiver<()>,
}

/// Starts a worker on a CPU; it serves at once.
///
/// # Errors
/// No runtime or no thread to be had.
pub fn start(
    listeners: Vec<Listener>,
    context: WorkerContext,
    cpu: Option<usize>,
) -> Result<Worker, NodeError> {
    let index = context.index;
    let (ending, ended) = oneshot::channel();
    let (begin, begun) = mpsc::sync_channel(1);
    let run = move || {
        // Made here because it stays here: its tasks need no lock.
        let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
            Ok(runtime) => runtime,
            Err(error) => return drop(begin.send(Err(error))),
        };
        // Whoever started us waits for it.
        let _ = begin.send(Ok(()));
        if let Some(cpu) = cpu
            && let Err(error) = cpus::pin_this_thread(cpu)
        {
            tracing::warn!(worker = index, cpu, %error, "worker not pinned to its CPU");
        }
        runtime.block_on(serve(listeners, context));
        // Cuts off what is still open, and waits for no look-up of a name.
        runtime.shutdown_background();
        // The node has gone where nobody listens any more.
        let _ = ending.send(());
    };
    let thread =
        thread::Builder::new().name(format!("waf-worker-{index}")).spawn(run).map_err(NodeError::Thread)?;
    let is_begun = begun.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    is_begun.map_err(NodeError::Thread)?;
    Ok(Worker { index, thread, ended })
}
