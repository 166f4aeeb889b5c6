//! The words between a worker and the node: what was seen, and what is to be done.

use std::net::IpAddr;
use std::time::Duration;

use crate::model::{Ban, Mono, TenantId};

/// One request of a source, as the feedback loop counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    pub tenant: TenantId,
    /// The socket's peer or, behind a trusted proxy, the visitor.
    pub source: IpAddr,
    /// The service address.
    pub destination: IpAddr,
    pub at: Mono,
    /// The rules refused it. Never set for a detect-mode tenant, nor for a source inside a trusted proxy list.
    pub refused: bool,
}

/// What the node asks of a worker.
#[derive(Clone, Debug)]
pub enum Command {
    /// Close the open connections that a ban covers.
    CloseBanned(Ban),
    /// Stop accepting, finish requests under way, return from `serve` at the deadline at the latest.
    Drain { within: Duration },
}
