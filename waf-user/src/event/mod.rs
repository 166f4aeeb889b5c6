//! Events and request records: typed records in, JSON lines out on a thread of their own. The proxy never waits for it.

pub mod id;
pub mod journal;
pub mod reason;
pub mod record;

mod find;
mod limits;
mod line;
mod printable;
mod redact;
mod sink;
mod writer;

#[cfg(test)]
mod tests;

pub use find::find;
pub use id::{EventId, EventIdError};
pub use journal::{Journal, JournalError, LossCounter};
pub use printable::printable;
pub use reason::Reason;
pub use record::{Event, RequestRecord, Stage};
