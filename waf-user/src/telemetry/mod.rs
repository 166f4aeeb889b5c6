//! All metric names with help text; counters; exposition. What a number means for the node is decided elsewhere.

use std::time::Duration;

use crate::event::Reason;

/// What became of a request, as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestVerdict {
    Pass,
    Deny,
    Drop,
    Redirect,
    Error,
}

/// Every metric of a node. Shared by all workers; counting takes no lock.
#[derive(Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// Hot: per request.
    pub fn request(&self, _verdict: RequestVerdict, _inspect: Duration, _total: Duration) {}

    /// One refused request or connection.
    pub fn refused(&self, _reason: Reason) {}

    pub fn connection_opened(&self) {}

    pub fn connection_closed(&self) {}

    pub fn tls_handshake(&self, _succeeded: bool) {}

    /// Prometheus text exposition.
    pub fn expose(&self) -> String {
        String::new()
    }
}
