//! Entries and listings out of the file, by one thread with a connection of its own: readers never wait for a writer.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::{mpsc, oneshot};

use crate::control::store::limits::{LIST_BYTES_MAX, READERS_QUEUE_LEN_MAX};
use crate::control::store::{Entry, Key, LeaseId, Listing, Prefix, Revision, StoreError};

use super::file::Place;

type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// Asks the reading thread, which ends when the last of these is gone.
#[derive(Clone)]
pub struct Reader {
    questions: mpsc::Sender<Question>,
}

impl Reader {
    /// # Errors
    /// The file cannot be opened, or no thread be started.
    pub fn start(place: Arc<Place>) -> Result<Self, StoreError> {
        let mut connection = place.connect()?;
        let (questions, mut asked) = mpsc::channel::<Question>(READERS_QUEUE_LEN_MAX);
        let run = move || {
            while let Some(question) = asked.blocking_recv() {
                question(&mut connection);
            }
        };
        std::thread::Builder::new().name("store-reader".to_owned()).spawn(run).map_err(StoreError::Thread)?;
        Ok(Self { questions })
    }

    /// Has a question answered on the thread.
    ///
    /// # Errors
    /// The question's, or the thread is gone.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |connection| {
            // Whoever asked may have gone away meanwhile.
            if !reply.is_closed() {
                let _ = reply.send(question(connection));
            }
        });
        self.questions.send(question).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

const DOING: &str = "read entries";

/// # Errors
/// SQLite's, and a key that is none.
pub fn entry(place: &Place, connection: &Connection, key: &Key) -> Result<Option<Entry>, StoreError> {
    let sql = "SELECT key, created, modified, lease, value FROM entry WHERE key = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(place.error(DOING))?;
    let found = statement.query_row([key.as_str()], row_of).optional().map_err(place.error(DOING))?;
    found.map(|row| row.entry(place)).transpose()
}

/// # Errors
/// More bytes than a listing may have; SQLite's.
pub fn listing(place: &Place, connection: &mut Connection, prefix: &Prefix) -> Result<Listing, StoreError> {
    // One transaction: the revision and the entries are of the same moment.
    let transaction = connection.transaction().map_err(place.error(DOING))?;
    let (revision, _) = head(place, &transaction)?;
    let sql =
        "SELECT key, created, modified, lease, value FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key";
    let mut statement = transaction.prepare_cached(sql).map_err(place.error(DOING))?;
    let rows =
        statement.query_map(params![prefix.as_str(), prefix.end()], row_of).map_err(place.error(DOING))?;
    let mut entries = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let entry = row.map_err(place.error(DOING))?.entry(place)?;
        bytes += entry.key.as_str().len() + entry.value.len();
        if bytes > LIST_BYTES_MAX {
            return Err(StoreError::ListBytes { prefix: prefix.to_string() });
        }
        entries.push(entry);
    }
    Ok(Listing { revision, entries })
}

/// The last revision, and the last one whose changes are forgotten.
///
/// # Errors
/// SQLite's.
pub fn head(place: &Place, connection: &Connection) -> Result<(Revision, Revision), StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT revision, compacted FROM head").map_err(place.error(DOING))?;
    statement
        .query_row([], |row| Ok((Revision::from_signed(row.get(0)?), Revision::from_signed(row.get(1)?))))
        .map_err(place.error(DOING))
}

/// An entry before its key is one.
pub struct EntryRow {
    key: String,
    created: i64,
    modified: i64,
    lease: Option<i64>,
    value: Vec<u8>,
}

/// Columns key, created, modified, lease, value.
fn row_of(row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        key: row.get(0)?,
        created: row.get(1)?,
        modified: row.get(2)?,
        lease: row.get(3)?,
        value: row.get(4)?,
    })
}

impl EntryRow {
    fn entry(self, place: &Place) -> Result<Entry, StoreError> {
        Ok(Entry {
            key: key_of(place, self.key)?,
            value: self.value,
            created: Revision::from_signed(self.created),
            modified: Revision::from_signed(self.modified),
            lease: self.lease.map(LeaseId),
        })
    }
}

/// A key out of the file.
///
/// # Errors
/// It is none.
pub fn key_of(place: &Place, text: String) -> Result<Key, StoreError> {
    Key::new(text.as_str()).map_err(|_| place.corrupt(format!("the key {text:?}")))
}
