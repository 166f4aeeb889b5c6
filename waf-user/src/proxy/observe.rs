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
    /// Close the open connections that the lists refuse as they are now: after bans that came faster than this queue took
    /// them.
    CloseListed,
    /// Finish requests under way and return from `serve`. A second one: return now.
    Drain(Drain),
}

/// How a worker comes to its end. All times run from the command on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// What is open then is cut off.
    pub within: Duration,
    /// How long connections are still accepted: those whose handshake was under way. What is queued then is served too.
    pub accept: Duration,
    /// How long kept connections may wait for one more request, which is answered with `Connection: close`.
    pub idle: Duration,
}

impl Drain {
    /// Accepts nothing more, closes idle connections at once.
    pub const fn at_once(within: Duration) -> Self {
        Self { within, accept: Duration::ZERO, idle: Duration::ZERO }
    }
}
