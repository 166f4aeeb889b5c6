//! Events and request records: typed records in, JSON lines out on a thread of their own. The proxy never waits for it.

pub mod id;
pub mod journal;
pub mod reason;
pub mod record;

pub use id::EventId;
pub use journal::{Journal, JournalError};
pub use reason::Reason;
pub use record::{Event, RequestRecord, Stage};
