//! Signals of the process -> what the node does: stop, reopen its logs, or say that it cannot.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::NodeError;
use crate::event::Journal;

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

    /// Returns at SIGTERM or SIGINT; obeys the others meanwhile.
    pub async fn until_stop(&mut self, journal: &Journal) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.reload.recv() => {
                    tracing::warn!("SIGHUP ignored: a new configuration is taken by a restart");
                }
                _ = self.reopen.recv() => {
                    journal.reopen();
                    tracing::info!("logs reopened");
                }
            }
        }
    }
}
