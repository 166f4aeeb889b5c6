//! Threads of the data plane: one current-thread runtime each, pinned to its CPU, running [`crate::proxy::serve`].

use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

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
    let runtime = Builder::new_current_thread().enable_all().build().map_err(NodeError::Thread)?;
    let (ending, ended) = oneshot::channel();
    let run = move || {
        if let Some(cpu) = cpu
            && let Err(error) = cpus::pin_this_thread(cpu)
        {
            tracing::warn!(worker = index, cpu, %error, "worker not pinned to its CPU");
        }
        LocalSet::new().block_on(&runtime, serve(listeners, context));
        // The node has gone where nobody listens any more.
        let _ = ending.send(());
    };
    let thread =
        thread::Builder::new().name(format!("waf-worker-{index}")).spawn(run).map_err(NodeError::Thread)?;
    Ok(Worker { index, thread, ended })
}
