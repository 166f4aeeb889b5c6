//! Why a store did not do as asked, with what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::limits::{
    BUSY_WITHIN, KEY_BYTES_MAX, LEASE_TTL_MAX, LEASE_TTL_MIN, LEASES_MAX, LIST_BYTES_MAX, OPERATIONS_MAX,
    TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX,
};
use super::{Key, LeaseId, Revision};

/// What the store was doing when it could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("a key has no character")]
    EmptyKey,
    #[error("key {start}… has {bytes} bytes, at most {KEY_BYTES_MAX}: shorten it, or name it by a hash")]
    KeyLength { start: String, bytes: usize },
    #[error("key {0:?} may hold only visible ASCII: write names as A-labels, without spaces")]
    KeyCharacter(String),
    #[error(
        "{count} {what} in one transaction, at most {OPERATIONS_MAX}: split it, or write a generation and its head"
    )]
    TooMany { what: &'static str, count: usize },
    #[error(
        "value of {key} has {bytes} bytes, at most {VALUE_BYTES_MAX}: keep it in parts under keys of their own"
    )]
    ValueBytes { key: Key, bytes: usize },
    #[error(
        "a transaction has {bytes} bytes, at most {TRANSACTION_BYTES_MAX}: split it, or write a generation and its head"
    )]
    TransactionBytes { bytes: usize },
    #[error("two operations on {0} in one transaction: keep the last")]
    TwiceInOne(Key),
    #[error("more than {LIST_BYTES_MAX} bytes below {prefix:?}: list a longer prefix")]
    ListBytes { prefix: String },

    #[error("{key} was {found}, not {expected}, when this change came: read it again, then decide again")]
    Conflict { key: Key, expected: Found, found: Found },
    #[error("changes up to revision {compacted} are forgotten, {asked} among them: list again")]
    Compacted { asked: Revision, compacted: Revision },
    #[error("lease {0} has run out and its keys are gone: grant another and put them again")]
    LeaseGone(LeaseId),
    #[error(
        "a lease of {0:?} is outside {min} to {max} seconds",
        min = LEASE_TTL_MIN.as_secs(),
        max = LEASE_TTL_MAX.as_secs()
    )]
    LeaseTtl(std::time::Duration),
    #[error("{LEASES_MAX} leases at once: let some run out")]
    TooManyLeases,

    #[error("make the data directory {path}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("open {path} for this user alone")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "another process has {path} open: stop that waf control, or give this one another data directory"
    )]
    Locked { path: PathBuf },
    #[error("{path} is of schema {found}, this waf knows up to {known}: use the newer waf that wrote it")]
    Schema { path: PathBuf, found: i64, known: i64 },
    #[error("{path} is an SQLite file of another program: give waf control a data directory of its own")]
    Foreign { path: PathBuf },
    #[error("{doing} in {path}")]
    Sqlite { doing: &'static str, path: PathBuf, source: Box<rusqlite::Error> },
    #[error(
        "another program kept {path} locked for {} s (a backup, an sqlite3 shell?): end it, then try again",
        BUSY_WITHIN.as_secs()
    )]
    Busy { path: PathBuf },
    #[error("write transactions, with others of which none was written")]
    Batch(#[source] Arc<StoreError>),
    #[error("{path} could not be written, and nothing was changed: is its disk full?")]
    Undone { path: PathBuf },
    #[error("start the store's thread")]
    Thread(#[source] io::Error),
    #[error("the store holds {what}, which no waf wrote: restore {place} from a backup")]
    Corrupt { place: String, what: String },

    #[error("{doing}: no etcd member of {endpoints} answers as it should")]
    Unavailable { doing: &'static str, endpoints: String, source: BoxError },
    #[error("{doing} failed at a point where it may have happened or not: read again, then decide again")]
    Uncertain { doing: &'static str, source: BoxError },
    #[error("the store was closed meanwhile")]
    Closed,
}

/// A cause of another library.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    /// Whether nothing was changed and the same call may succeed a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unavailable { .. })
    }

    /// Whether another writer was first: read again, decide again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}

/// State of an entry in an error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Absent,
    ModifiedAt(Revision),
}

impl Found {
    pub(super) fn of(modified: Option<Revision>) -> Self {
        modified.map_or(Self::Absent, Self::ModifiedAt)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::ModifiedAt(revision) => write!(f, "of revision {revision}"),
        }
    }
}
