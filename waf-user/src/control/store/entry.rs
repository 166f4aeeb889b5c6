//! What a store answers with: entries, listings and changes, each with the revisions that made them.

use std::fmt;
use std::time::Duration;

use super::limits::{LEASE_TTL_MAX, LEASE_TTL_MIN};
use super::{Key, StoreError};

/// Number of a transaction that changed something. Only grows; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(pub u64);

impl Revision {
    /// From where a watch goes on that has seen this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// As the engines count. They begin at 0 and would need 292 years at 10^9 a second to pass it.
    pub(super) fn signed(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(super) fn from_signed(number: i64) -> Self {
        Self(u64::try_from(number).unwrap_or(0))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a lease, given by the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId(pub i64);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key and its value. `Debug` tells the value's length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: Key,
    pub value: Vec<u8>,
    /// The revision that put it where nothing was.
    pub created: Revision,
    /// The revision that put it last: what a guard compares.
    pub modified: Revision,
    /// It goes when this lease does.
    pub lease: Option<LeaseId>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, created, modified, lease } = self;
        write!(f, "{key} ({} bytes, created {created}, modified {modified}", value.len())?;
        match lease {
            Some(lease) => write!(f, ", lease {lease})"),
            None => f.write_str(")"),
        }
    }
}

/// Entries as of one revision, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// A watch goes on from the one after it.
    pub revision: Revision,
    pub entries: Vec<Entry>,
}

/// What happened to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Put(Entry),
    Deleted(Key),
}

impl Change {
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Deleted(key) => key,
        }
    }
}

/// All that one revision changed below a watch's prefix, in the order of the keys; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    pub revision: Revision,
    pub changes: Vec<Change>,
}

/// Whole seconds of a lease, rounded up.
pub(super) fn lease_seconds(ttl: Duration) -> Result<i64, StoreError> {
    if ttl < LEASE_TTL_MIN || ttl > LEASE_TTL_MAX {
        return Err(StoreError::LeaseTtl(ttl));
    }
    let whole = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
    Ok(i64::try_from(whole).unwrap_or(i64::MAX))
}
