//! One transaction of the store inside one of SQLite's: guards compared, then operations carried out and noted for
//! watches. On an error the caller rolls back.

use rusqlite::{Connection, OptionalExtension, params};

use crate::control::store::{Found, Guard, Key, LeaseId, Operation, Revision, StoreError, Transaction};

use super::file::Place;
use super::read;

const DOING: &str = "write a transaction";

/// Answers with the revision that did it, or the present one where nothing changed.
///
/// # Errors
/// A guard does not hold, a lease has run out; SQLite's.
pub fn apply(
    place: &Place,
    connection: &Connection,
    transaction: &Transaction,
) -> Result<Revision, StoreError> {
    for guard in transaction.guards() {
        compare(place, connection, guard)?;
    }
    let (present, _) = read::head(place, connection)?;
    let next = present.next();
    let mut has_changed = false;
    for operation in transaction.operations() {
        has_changed |= match operation {
            Operation::Put { key, value, lease } => put(place, connection, next, key, value, *lease)?,
            Operation::Delete(key) => delete(place, connection, next, key)?,
        };
    }
    if !has_changed {
        return Ok(present);
    }
    execute(place, connection, "UPDATE head SET revision = ?1", params![next.signed()])?;
    Ok(next)
}

fn compare(place: &Place, connection: &Connection, guard: &Guard) -> Result<(), StoreError> {
    let key = guard.key();
    let mut statement =
        connection.prepare_cached("SELECT modified FROM entry WHERE key = ?1").map_err(place.error(DOING))?;
    let modified: Option<i64> =
        statement.query_row([key.as_str()], |row| row.get(0)).optional().map_err(place.error(DOING))?;
    let found = Found::of(modified.map(Revision::from_signed));
    let expected = match guard {
        Guard::Absent(_) => Found::Absent,
        Guard::ModifiedAt(_, revision) => Found::ModifiedAt(*revision),
    };
    match found == expected {
        true => Ok(()),
        false => Err(StoreError::Conflict { key: key.clone(), expected, found }),
    }
}

fn put(
    place: &Place,
    connection: &Connection,
    revision: Revision,
    key: &Key,
    value: &[u8],
    lease: Option<LeaseId>,
) -> Result<bool, StoreError> {
    if let Some(lease) = lease {
        let mut statement =
            connection.prepare_cached("SELECT 1 FROM lease WHERE id = ?1").map_err(place.error(DOING))?;
        if !statement.exists([lease.0]).map_err(place.error(DOING))? {
            return Err(StoreError::LeaseGone(lease));
        }
    }
    let sql = "INSERT INTO entry (key, created, modified, lease, value) VALUES (?1, ?2, ?2, ?3, ?4)
        ON CONFLICT (key) DO UPDATE SET modified = ?2, lease = ?3, value = ?4";
    let lease = lease.map(|lease| lease.0);
    execute(place, connection, sql, params![key.as_str(), revision.signed(), lease, value])?;
    let sql = "INSERT INTO change (revision, key, created, lease, value)
        SELECT modified, key, created, lease, value FROM entry WHERE key = ?1";
    execute(place, connection, sql, params![key.as_str()])?;
    Ok(true)
}

/// Whether there was one to delete.
///
/// # Errors
/// SQLite's.
pub fn delete(
    place: &Place,
    connection: &Connection,
    revision: Revision,
    key: &Key,
) -> Result<bool, StoreError> {
    let deleted = execute(place, connection, "DELETE FROM entry WHERE key = ?1", params![key.as_str()])?;
    if deleted == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO change (revision, key) VALUES (?1, ?2)";
    execute(place, connection, sql, params![revision.signed(), key.as_str()])?;
    Ok(true)
}

/// Rows that a statement touched.
///
/// # Errors
/// SQLite's.
pub fn execute(
    place: &Place,
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(place.error(DOING))?;
    statement.execute(parameters).map_err(place.error(DOING))
}
