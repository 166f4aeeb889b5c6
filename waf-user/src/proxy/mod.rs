//! One client connection from accept to close: listen, TLS, head, inspection, relay. Serves from a [`Snapshot`] that the
//! node replaces whole; tells the node what it saw by [`Observation`]s and obeys its [`Command`]s.

pub mod contract;
pub mod flows;
pub mod limits;
pub mod lists;
pub mod observe;
pub mod snapshot;
pub mod worker;

mod account;
mod buffers;
mod connection;
mod exchange;
mod exclusions;
mod forwarding;
mod halves;
mod inspect;
mod listen;
mod outbox;
mod page;
mod registry;
mod relay;
mod session;
mod wait;
mod wire;

#[cfg(test)]
mod tests;

pub use contract::Allowance;
pub use exclusions::Exclusions;
pub use flows::Flows;
pub use lists::{ListVerdict, Lists};
pub use observe::{Command, Drain, Observation};
pub use snapshot::{Misdirected, Site, Sites, Snapshot};
pub use worker::{Listener, WorkerContext, serve};
