//! How far back watches may begin: forgets the oldest changes when they are asked to go or take too much room.

use rusqlite::{Connection, params};

use crate::control::store::limits::{HISTORY_BYTES_MAX, HISTORY_REVISIONS_MAX};
use crate::control::store::{Operation, Revision, StoreError, Transaction};

use super::apply::execute;
use super::file::Place;
use super::read;

const DOING: &str = "measure the history";

/// Bytes of the values that are remembered, kept alongside: SQLite would have to count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryBytes(u64);

impl HistoryBytes {
    /// Counts them in the file.
    ///
    /// # Errors
    /// SQLite's.
    pub fn measure(place: &Place, connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT coalesce(sum(length(value)), 0) FROM change";
        let mut statement = connection.prepare_cached(sql).map_err(place.error(DOING))?;
        let bytes: i64 = statement.query_row([], |row| row.get(0)).map_err(place.error(DOING))?;
        Ok(Self(u64::try_from(bytes).unwrap_or(0)))
    }

    pub fn add(&mut self, transaction: &Transaction) {
        for operation in transaction.operations() {
            if let Operation::Put { value, .. } = operation {
                self.0 = self.0.saturating_add(value.len() as u64);
            }
        }
    }

    pub fn is_too_much(self) -> bool {
        self.0 > HISTORY_BYTES_MAX
    }
}

/// Forgets changes up to a revision. One of the future means all; one that is gone already, nothing.
///
/// # Errors
/// SQLite's.
pub fn compact(place: &Place, connection: &Connection, upto: Revision) -> Result<(), StoreError> {
    let (revision, compacted) = read::head(place, connection)?;
    let upto = upto.min(revision);
    if upto <= compacted {
        return Ok(());
    }
    execute(place, connection, "DELETE FROM change WHERE revision <= ?1", params![upto.signed()])?;
    execute(place, connection, "UPDATE head SET compacted = ?1", params![upto.signed()])?;
    Ok(())
}

/// Forgets a quarter of the history where there is too much of it, in revisions or in bytes.
///
/// # Errors
/// SQLite's.
pub fn trim(place: &Place, connection: &Connection, bytes: HistoryBytes) -> Result<bool, StoreError> {
    let (revision, compacted) = read::head(place, connection)?;
    let kept = revision.0.saturating_sub(compacted.0);
    if kept <= HISTORY_REVISIONS_MAX && !bytes.is_too_much() {
        return Ok(false);
    }
    let forgotten = (kept / 4).max(1);
    compact(place, connection, Revision(compacted.0.saturating_add(forgotten)))?;
    Ok(true)
}
