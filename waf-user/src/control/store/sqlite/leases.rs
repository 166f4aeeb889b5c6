//! Which leases run, and until when. Deadlines live in memory, on a clock that nobody sets; the file knows only which
//! leases there are.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::time::Instant;

use crate::control::store::limits::LEASES_MAX;
use crate::control::store::{LeaseId, StoreError};

use super::apply::{delete, execute};
use super::file::Place;
use super::read;

const DOING: &str = "read leases";

struct Running {
    ttl: Duration,
    deadline: Instant,
}

/// Deadlines, first first.
#[derive(Default)]
pub struct Leases {
    running: HashMap<LeaseId, Running>,
    by_deadline: BTreeMap<(Instant, LeaseId), ()>,
}

impl Leases {
    /// Those of the file, each beginning anew.
    ///
    /// # Errors
    /// SQLite's.
    pub fn load(place: &Place, connection: &Connection, now: Instant) -> Result<Self, StoreError> {
        let mut statement =
            connection.prepare("SELECT id, seconds FROM lease").map_err(place.error(DOING))?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(place.error(DOING))?;
        let mut leases = Self::default();
        for row in rows {
            let (id, seconds): (i64, i64) = row.map_err(place.error(DOING))?;
            leases.begin(LeaseId(id), ttl_of(seconds), now);
        }
        Ok(leases)
    }

    /// Whether one more is too many.
    pub fn is_full(&self) -> bool {
        self.running.len() >= LEASES_MAX
    }

    pub fn begin(&mut self, lease: LeaseId, ttl: Duration, now: Instant) {
        self.end(lease);
        let deadline = now + ttl;
        self.running.insert(lease, Running { ttl, deadline });
        self.by_deadline.insert((deadline, lease), ());
    }

    /// # Errors
    /// It has run out.
    pub fn keep_alive(&mut self, lease: LeaseId, now: Instant) -> Result<(), StoreError> {
        let ttl = self.running.get(&lease).ok_or(StoreError::LeaseGone(lease))?.ttl;
        self.begin(lease, ttl, now);
        Ok(())
    }

    pub fn end(&mut self, lease: LeaseId) {
        if let Some(running) = self.running.remove(&lease) {
            self.by_deadline.remove(&(running.deadline, lease));
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.by_deadline.keys().next().map(|(deadline, _)| *deadline)
    }

    /// Leases whose time is over.
    pub fn over(&self, now: Instant) -> Vec<LeaseId> {
        self.by_deadline
            .keys()
            .take_while(|(deadline, _)| *deadline <= now)
            .map(|(_, lease)| *lease)
            .collect()
    }
}

pub fn ttl_of(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// A new lease in the file.
///
/// # Errors
/// SQLite's.
pub fn insert(place: &Place, connection: &Connection, seconds: i64) -> Result<LeaseId, StoreError> {
    execute(place, connection, "INSERT INTO lease (seconds) VALUES (?1)", params![seconds])?;
    Ok(LeaseId(connection.last_insert_rowid()))
}

/// Removes a lease and its keys from the file, all in one revision.
///
/// # Errors
/// There is none; SQLite's.
pub fn remove(place: &Place, connection: &Connection, lease: LeaseId) -> Result<(), StoreError> {
    let (present, _) = read::head(place, connection)?;
    let next = present.next();
    let mut keys = Vec::new();
    {
        let sql = "SELECT key FROM entry WHERE lease = ?1 ORDER BY key";
        let mut statement = connection.prepare_cached(sql).map_err(place.error(DOING))?;
        let rows =
            statement.query_map([lease.0], |row| row.get::<_, String>(0)).map_err(place.error(DOING))?;
        for row in rows {
            keys.push(read::key_of(place, row.map_err(place.error(DOING))?)?);
        }
    }
    for key in &keys {
        delete(place, connection, next, key)?;
    }
    if !keys.is_empty() {
        execute(place, connection, "UPDATE head SET revision = ?1", params![next.signed()])?;
    }
    match execute(place, connection, "DELETE FROM lease WHERE id = ?1", params![lease.0])? {
        0 => Err(StoreError::LeaseGone(lease)),
        _ => Ok(()),
    }
}
