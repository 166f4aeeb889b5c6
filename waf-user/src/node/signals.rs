//! Signals of the process -> what the node is told to do. Doing it is not known here.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::NodeError;

/// The signals a node listens to.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
    reopen: Signal,
}

impl Signals {
    /// From here on these signals no longer end the process.
    ///
    /// # Errors
    /// The kernel refuses a handler.
    pub fn new() -> Result<Self, NodeError> {
        let listen = |kind| signal(kind).map_err(NodeError::Signals);
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            reload: listen(SignalKind::hangup())?,
            reopen: listen(SignalKind::user_defined1())?,
        })
    }

    /// The next signal. Cancelling loses none.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.reload.recv() => Told::Reload,
            _ = self.reopen.recv() => Told::Reopen,
        }
    }
}

/// What a signal tells a node to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// SIGTERM, SIGINT
    Stop,
    /// SIGHUP
    Reload,
    /// SIGUSR1: the logs were moved.
    Reopen,
}
