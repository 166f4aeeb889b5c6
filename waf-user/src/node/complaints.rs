//! What the kernel half complains of, states that must not occur -> the operator's log. It is bounded where it is written.

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::NodeError;
use crate::kernel::{KernelLog, LogLevel};

/// The ring of its lines, registered with the node's runtime.
pub(super) struct Complaints {
    ring: AsyncFd<KernelLog>,
}

impl Complaints {
    /// # Errors
    /// The runtime cannot watch the ring.
    #[expect(
        deprecated,
        reason = "its successor is unsafe for types that may close their descriptor; the ring keeps its own"
    )]
    pub fn watch(log: KernelLog) -> Result<Self, NodeError> {
        let ring = AsyncFd::with_interest(log, Interest::READABLE).map_err(NodeError::Reports)?;
        Ok(Self { ring })
    }

    /// Runs for ever: a line in, a line out.
    pub async fn run(mut self) {
        loop {
            let Ok(mut ready) = self.ring.readable_mut().await else { return };
            while let Some(line) = ready.get_inner_mut().take() {
                match line.level {
                    LogLevel::Error => tracing::error!("kernel half: {}", line.text),
                    LogLevel::Warn => tracing::warn!("kernel half: {}", line.text),
                    LogLevel::Info | LogLevel::Off => tracing::info!("kernel half: {}", line.text),
                }
            }
            ready.clear_ready();
            drop(ready);
            tokio::task::yield_now().await;
        }
    }
}
