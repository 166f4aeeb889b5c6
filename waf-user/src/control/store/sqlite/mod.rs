//! The store in one SQLite file of a data directory, for one control process. Two threads do what blocks: one writes,
//! several transactions to a disk write; one reads, undisturbed by it (WAL).
//!
//! Power may fail at any time (`synchronous=FULL`): what was acknowledged is in the journal, on disk. The last
//! [`HISTORY_REVISIONS_MAX`](super::limits::HISTORY_REVISIONS_MAX) revisions stay for watches. Leases begin anew when the
//! store is opened: time with no control process counts against nobody.

mod file;
mod schema;

mod apply;
mod history;
mod leases;
mod read;

mod watch;

mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch as latest};

use super::limits::WRITERS_QUEUE_LEN_MAX;
use super::{Answer, Entry, Key, LeaseId, Listing, Prefix, Revision, Store, StoreError, Transaction, Watch};

use self::file::Place;
use self::read::Reader;
use self::watch::SqliteWatch;
use self::writer::{Job, Work};

/// Name of the file in the data directory.
pub const FILE_NAME: &str = "store.sqlite";

/// The embedded store. Dropping it waits for what is being written.
pub struct SqliteStore {
    place: Arc<Place>,
    /// None only while dropping.
    writer: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    reader: Reader,
    latest: latest::Receiver<Revision>,
}

impl SqliteStore {
    /// Opens the store of a data directory, making both where they are missing. Blocks; for the start of a process.
    ///
    /// # Errors
    /// The directory or file cannot be made or read, another process has it, or a newer `waf` wrote it.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let (place, lock) = Place::prepare(directory)?;
        let place = Arc::new(place);
        let connection = place.connect()?;
        schema::bring_up(&place, &connection)?;
        let opened = writer::Writer::new(Arc::clone(&place), connection, lock)?;
        let latest = opened.latest();
        let reader = Reader::start(Arc::clone(&place))?;
        let (sender, jobs) = mpsc::channel(WRITERS_QUEUE_LEN_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || opened.run(jobs))
            .map_err(StoreError::Thread)?;
        Ok(Self { place, writer: Some(sender), thread: Some(thread), reader, latest })
    }

    async fn write<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Work,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let writer = self.writer.as_ref().ok_or(StoreError::Closed)?;
        writer.send(Job(work(reply))).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Store for SqliteStore {
    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>> {
        let (place, key) = (Arc::clone(&self.place), key.clone());
        Box::pin(
            async move { self.reader.ask(move |connection| read::entry(&place, connection, &key)).await },
        )
    }

    fn list<'a>(&'a self, prefix: &'a Prefix) -> Answer<'a, Listing> {
        let (place, prefix) = (Arc::clone(&self.place), prefix.clone());
        Box::pin(async move {
            self.reader.ask(move |connection| read::listing(&place, connection, &prefix)).await
        })
    }

    fn commit(&self, transaction: Transaction) -> Answer<'_, Revision> {
        Box::pin(self.write(|reply| Work::Commit { transaction, reply }))
    }

    fn watch<'a>(&'a self, prefix: &'a Prefix, from: Revision) -> Answer<'a, Box<dyn Watch>> {
        Box::pin(async move {
            let place = Arc::clone(&self.place);
            let watch =
                SqliteWatch::new(place, self.reader.clone(), self.latest.clone(), prefix.clone(), from);
            Ok(Box::new(watch) as Box<dyn Watch>)
        })
    }

    fn grant(&self, ttl: Duration) -> Answer<'_, LeaseId> {
        Box::pin(async move {
            let seconds = super::entry::lease_seconds(ttl)?;
            self.write(|reply| Work::Grant { seconds, reply }).await
        })
    }

    fn keep_alive(&self, lease: LeaseId) -> Answer<'_, ()> {
        Box::pin(self.write(move |reply| Work::KeepAlive { lease, reply }))
    }

    fn revoke(&self, lease: LeaseId) -> Answer<'_, ()> {
        Box::pin(self.write(move |reply| Work::Revoke { lease, reply }))
    }

    fn compact(&self, upto: Revision) -> Answer<'_, ()> {
        Box::pin(self.write(move |reply| Work::Compact { upto, reply }))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // With its only sender gone the thread ends after its last batch; with the thread goes the lock.
        self.writer = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
