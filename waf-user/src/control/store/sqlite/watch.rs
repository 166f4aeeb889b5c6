//! A watch of the file: waits for the writer's word of a new revision, then reads the changes since. It holds no queue:
//! a slow one reads later, or is told that it is too late.

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::{Connection, params};
use tokio::sync::watch as latest;

use crate::control::store::limits::WATCH_CHANGES_MAX;
use crate::control::store::{
    Answer, Change, Changes, Entry, Key, LeaseId, Prefix, Revision, StoreError, Watch,
};

use super::file::Place;
use super::read::{self, Reader};

const DOING: &str = "read changes";

pub struct SqliteWatch {
    place: Arc<Place>,
    reader: Reader,
    latest: latest::Receiver<Revision>,
    prefix: Prefix,
    /// The first revision that has not been read yet.
    from: Revision,
    /// Read and not yet given out.
    ready: VecDeque<Changes>,
}

impl SqliteWatch {
    pub fn new(
        place: Arc<Place>,
        reader: Reader,
        latest: latest::Receiver<Revision>,
        prefix: Prefix,
        from: Revision,
    ) -> Self {
        Self { place, reader, latest, prefix, from, ready: VecDeque::new() }
    }

    async fn next_changes(&mut self) -> Result<Changes, StoreError> {
        loop {
            if let Some(changes) = self.ready.pop_front() {
                return Ok(changes);
            }
            let from = self.from;
            self.latest.wait_for(|latest| *latest >= from).await.map_err(|_| StoreError::Closed)?;
            let (place, prefix) = (Arc::clone(&self.place), self.prefix.clone());
            let page = self.reader.ask(move |connection| changes(&place, connection, &prefix, from)).await?;
            self.from = page.upto.next();
            self.ready = page.changes;
        }
    }
}

impl Watch for SqliteWatch {
    fn next(&mut self) -> Answer<'_, Changes> {
        Box::pin(self.next_changes())
    }
}

/// Some changes, and the revision up to which there are no others.
struct Page {
    upto: Revision,
    changes: VecDeque<Changes>,
}

/// Changes from a revision on, at most a page of them, never part of a revision.
fn changes(
    place: &Place,
    connection: &mut Connection,
    prefix: &Prefix,
    from: Revision,
) -> Result<Page, StoreError> {
    let transaction = connection.transaction().map_err(place.error(DOING))?;
    let (revision, compacted) = read::head(place, &transaction)?;
    if from <= compacted {
        return Err(StoreError::Compacted { asked: from, compacted });
    }
    let sql = "SELECT revision, key, created, lease, value FROM change
        WHERE revision >= ?1 AND key >= ?2 AND key < ?3 ORDER BY revision, key";
    let mut statement = transaction.prepare_cached(sql).map_err(place.error(DOING))?;
    let mut rows =
        statement.query(params![from.signed(), prefix.as_str(), prefix.end()]).map_err(place.error(DOING))?;
    let mut page = Page { upto: revision, changes: VecDeque::new() };
    let mut count = 0;
    while let Some(row) = rows.next().map_err(place.error(DOING))? {
        let changed = Revision::from_signed(row.get(0).map_err(place.error(DOING))?);
        let is_next = page.changes.back().is_none_or(|last| last.revision != changed);
        if is_next && count >= WATCH_CHANGES_MAX {
            page.upto = page.changes.back().map_or(revision, |last| last.revision);
            break;
        }
        let key = read::key_of(place, row.get(1).map_err(place.error(DOING))?)?;
        let change = change(row, key, changed).map_err(place.error(DOING))?;
        count += 1;
        match page.changes.back_mut() {
            Some(last) if !is_next => last.changes.push(change),
            _ => page.changes.push_back(Changes { revision: changed, changes: vec![change] }),
        }
    }
    Ok(page)
}

fn change(row: &rusqlite::Row<'_>, key: Key, modified: Revision) -> rusqlite::Result<Change> {
    let Some(value) = row.get::<_, Option<Vec<u8>>>(4)? else { return Ok(Change::Deleted(key)) };
    let created = Revision::from_signed(row.get(2)?);
    let lease = row.get::<_, Option<i64>>(3)?.map(LeaseId);
    Ok(Change::Put(Entry { key, value, created, modified, lease }))
}
