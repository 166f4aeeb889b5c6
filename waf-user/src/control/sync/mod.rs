//! Towards the nodes: one listener, TLS 1.3 on both sides' certificates, HTTP/2 inside, the words of
//! [`crate::model::sync`]. Computes what each node is to serve from the ledger's view, has it staged by all that change,
//! then activated by all of them; hands bans around. Decides nothing of what is to be served.
//!
//! ```text
//! listen ──> line ──┬─ call    /join, /renew: one request, one answer
//!                   └─ stream  /sync: Up frames in, Down frames out, as the seat's session says
//! ledger's view ──> wave: targets of all seats ── staged by all, or 2 s ──> activated
//! ```
//!
//! - `document` view -> what one node serves; `target` it with text, hash and generation.
//! - `session` what one node has and is owed of documents, `told` of bans: no socket, no clock.
//! - `seat` one connected node; `fleet` all of them, and those of other control processes by what is kept of them.

pub mod document;
pub mod limits;

mod call;
mod line;
mod listen;
mod stream;

mod session;
mod target;
mod told;

mod fleet;
mod kept;
mod revocations;
mod seat;
mod wave;

mod error;

pub use error::SyncError;
pub use fleet::Fleet;
pub use kept::NodeStanding;

#[cfg(test)]
pub(crate) mod tests;
