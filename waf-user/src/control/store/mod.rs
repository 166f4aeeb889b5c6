//! Where the control plane keeps what it knows: keys with bytes, changed by transactions that compare before they set,
//! watched from any revision. Knows nothing of what the bytes mean.
//!
//! One revision counts every transaction that changed something, and only grows. An entry carries the revision that made
//! it and the one that last changed it; a [`Guard`] compares the latter, so two writers who read the same entry cannot
//! both win. Two engines hold to this: [`SqliteStore`] in a data directory, for one control process, and etcd (feature
//! `etcd`) for several. Bounds are etcd's defaults for both: 128 guards, 128 operations, 1 MiB a value. What is larger is
//! written as a generation of its own ([`Series`]) of which one small entry, the head, says that it counts.
//!
//! Whatever `commit` has acknowledged is on disk: a killed process or machine loses none of it. An error other than
//! [`StoreError::Uncertain`] means that nothing was changed.

pub mod limits;

mod entry;
mod key;
mod transaction;

mod error;

mod follow;
mod series;

mod sqlite;

#[cfg(feature = "etcd")]
mod etcd;

use std::time::Duration;

use futures_util::future::BoxFuture;

pub use entry::{Change, Changes, Entry, LeaseId, Listing, Revision};
pub use error::{Found, StoreError};
#[cfg(feature = "etcd")]
pub use etcd::{EtcdIdentity, EtcdSettings, EtcdStore, EtcdUser};
pub use follow::{Followed, Follower};
pub use key::{Key, Prefix};
pub use series::{Head, Series};
pub use sqlite::SqliteStore;
pub use transaction::{Guard, Operation, Transaction};

/// What a store answers with, some time.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The engine under the control plane, shared as `Arc<dyn Store>`.
///
/// Every answer may be [`StoreError::Unavailable`] or [`StoreError::Busy`]; both say that trying again is right.
pub trait Store: Send + Sync {
    /// The entry of one key as of now; none where there is none.
    ///
    /// # Errors
    /// The engine cannot be asked.
    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>>;

    /// All entries below a prefix in the order of their keys, as of one revision, which is told too.
    ///
    /// # Errors
    /// More than [`limits::LIST_BYTES_MAX`], or the engine cannot be asked.
    fn list<'a>(&'a self, prefix: &'a Prefix) -> Answer<'a, Listing>;

    /// Carries out all operations if every guard holds, or none. Answers with the revision that did it, or with the
    /// present one where nothing changed (deletions of what is not there).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] names the first guard that does not hold and what was found instead;
    /// [`StoreError::LeaseGone`] a lease that has run out; [`StoreError::Uncertain`] where the answer got lost.
    fn commit(&self, transaction: Transaction) -> Answer<'_, Revision>;

    /// All changes below a prefix from a revision on (that one included), in order, none left out.
    ///
    /// # Errors
    /// The engine cannot be asked. That the revision is no longer known is said by [`Watch::next`].
    fn watch<'a>(&'a self, prefix: &'a Prefix, from: Revision) -> Answer<'a, Box<dyn Watch>>;

    /// A lease which runs out unless kept alive; then all keys put under it go, in one revision. `ttl` between
    /// [`limits::LEASE_TTL_MIN`] and [`limits::LEASE_TTL_MAX`], counted in whole seconds, rounded up.
    ///
    /// # Errors
    /// `ttl` is outside its bounds, or the engine cannot be asked.
    fn grant(&self, ttl: Duration) -> Answer<'_, LeaseId>;

    /// Lets a lease begin anew.
    ///
    /// # Errors
    /// [`StoreError::LeaseGone`] where it has run out: grant another and put the keys again.
    fn keep_alive(&self, lease: LeaseId) -> Answer<'_, ()>;

    /// Ends a lease now, and removes its keys.
    ///
    /// # Errors
    /// [`StoreError::LeaseGone`] where it has run out.
    fn revoke(&self, lease: LeaseId) -> Answer<'_, ()>;

    /// Forgets the changes up to a revision (that one included); entries stay. A watch from there is told so.
    ///
    /// # Errors
    /// The engine cannot be asked.
    fn compact(&self, upto: Revision) -> Answer<'_, ()>;
}

/// Changes as they come. One that is dropped costs nothing more.
pub trait Watch: Send {
    /// The next revision that changed something below the prefix. Waits without end; may be cancelled and called again,
    /// nothing is lost.
    ///
    /// # Errors
    /// [`StoreError::Compacted`]: the changes since are forgotten, list again ([`Follower`] does). Others: the watch has
    /// ended, begin another from the last revision seen.
    fn next(&mut self) -> Answer<'_, Changes>;
}

#[cfg(test)]
mod conformance;
#[cfg(all(test, feature = "etcd"))]
pub(super) use conformance::{Cluster, connect, program};
#[cfg(test)]
pub(crate) use conformance::{Fate, Folder, Troubled};
