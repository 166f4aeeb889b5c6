//! The tables, and how a file of an older schema is brought up to this one.

use rusqlite::{Connection, TransactionBehavior};

use crate::control::store::StoreError;

use super::file::Place;

/// Marks the file as ours (`PRAGMA application_id`): "WAFS".
const APPLICATION: i64 = 0x5741_4653;

/// What brings a file from schema i to i + 1; a new file is of schema 0. Entries are never edited, only added to.
const STEPS: [&str; 1] = ["
    -- One row: the last revision, and the last one whose changes are forgotten.
    CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        revision INTEGER NOT NULL,
        compacted INTEGER NOT NULL
    );
    INSERT INTO head VALUES (1, 0, 0);

    CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, seconds INTEGER NOT NULL);

    CREATE TABLE entry (
        key TEXT NOT NULL UNIQUE,
        created INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        lease INTEGER REFERENCES lease (id),
        value BLOB NOT NULL
    );
    CREATE INDEX entry_lease ON entry (lease) WHERE lease IS NOT NULL;

    -- What watches are told. A deletion has no value and no `created`.
    CREATE TABLE change (
        revision INTEGER NOT NULL,
        key TEXT NOT NULL,
        created INTEGER,
        lease INTEGER,
        value BLOB,
        UNIQUE (revision, key)
    );
"];

const KNOWN: i64 = STEPS.len() as i64;

/// Makes or renews the tables.
///
/// # Errors
/// The file is of a newer `waf` or another program's, or cannot be written.
pub fn bring_up(place: &Place, connection: &Connection) -> Result<(), StoreError> {
    let doing = "read the schema";
    let number = |pragma| {
        connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(place.error(doing))
    };
    let found = number("user_version")?;
    let application = number("application_id")?;
    let is_new = found == 0 && application == 0 && number("schema_version")? == 0;
    if application != APPLICATION && !is_new {
        return Err(StoreError::Foreign { path: place.path().to_owned() });
    }
    if !(0..=KNOWN).contains(&found) {
        return Err(StoreError::Schema { path: place.path().to_owned(), found, known: KNOWN });
    }
    let doing = "renew the schema";
    let from = usize::try_from(found).unwrap_or_default();
    for (step, sql) in STEPS.iter().enumerate().skip(from) {
        let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
            .map_err(place.error(doing))?;
        transaction.execute_batch(sql).map_err(place.error(doing))?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(place.error(doing))?;
        transaction.pragma_update(None, "user_version", step as i64 + 1).map_err(place.error(doing))?;
        transaction.commit().map_err(place.error(doing))?;
    }
    Ok(())
}
