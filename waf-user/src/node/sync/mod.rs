//! The node's side of its stream with control: what is heard becomes a served document and bans, what happens here is
//! told. With control dead the node serves on; it tries again for ever.
//!
//! ```text
//! client ── for ever ──> stream ──┬─ Snapshot, Delta, Certificate, Activate ──> documents ──> reload, shelf
//!                 ^               ├─ Bans ──> bans ──> enforcer
//!        join ── shelf            └─ told <── uplink (react, control.sock) · usage ── every second ──> Status
//! ```

pub mod client;
pub mod join;
pub mod told;

mod bans;
mod call;
mod documents;
mod pace;
mod stream;
mod wire;

use tokio::sync::mpsc;

pub use told::Told;

/// Bans and lifts waiting for the stream, or for control's answer: some seconds of an attack. What finds no place holds
/// here all the same, and is counted.
pub const UPLINK_MAX: usize = 4096;

/// Towards control, for whoever has something to tell.
pub type Uplink = mpsc::Sender<Told>;

#[cfg(test)]
pub(crate) mod tests;
