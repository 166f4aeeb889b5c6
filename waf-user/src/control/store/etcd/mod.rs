//! The store in etcd v3, for several control processes. Each call is one of etcd's, so its promises are etcd's: writes are
//! acknowledged by a majority's disks, reads are linearizable. Only what certainly did not reach a member is tried again
//! here; a write whose answer got lost is said to be uncertain.
//!
//! Of etcd's own settings the defaults are counted on (`--max-txn-ops`, `--max-request-bytes`); set
//! `--auto-compaction-retention`, for nothing here compacts on a schedule.

mod connect;
mod failure;
mod words;

mod watch;

use std::time::Duration;

use etcd_client::{Client, CompactionOptions, GetOptions, KvClient, Txn};

use super::limits::LIST_BYTES_MAX;
use super::{
    Answer, Entry, Found, Guard, Key, LeaseId, Listing, Operation, Prefix, Revision, Store, StoreError,
    Transaction, Watch,
};

pub use connect::{EtcdIdentity, EtcdSettings, EtcdUser};

use self::failure::{Failure, Retry};
use self::watch::EtcdWatch;
use self::words::Words;

/// Entries fetched at once: at their largest 128 MiB.
const PAGE_LEN: i64 = 128;
/// Bytes of one answer: a page, or all events that etcd tells a late watch at once (1,000 revisions at their largest).
const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024 - 1;
/// How often a listing begins again when it is compacted under its hands.
const LISTINGS_MAX: usize = 4;

/// The replicated store.
pub struct EtcdStore {
    client: Client,
    words: Words,
    endpoints: String,
}

impl EtcdStore {
    /// Connects; the first member that answers will do.
    ///
    /// # Errors
    /// No member answers, or they refuse user or certificate.
    pub async fn connect(settings: &EtcdSettings) -> Result<Self, StoreError> {
        let words = Words::new(&settings.root)?;
        let endpoints = settings.endpoints.join(", ");
        let client = connect::client(settings).await.map_err(|error| StoreError::Unavailable {
            doing: "connect",
            endpoints: endpoints.clone(),
            source: Box::new(error),
        })?;
        let store = Self { client, words, endpoints };
        // It connects when it is first used: say now what is wrong.
        store.present("connect").await?;
        Ok(store)
    }

    fn kv(&self) -> KvClient {
        self.client.kv_client().max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    fn failed(&self, doing: &'static str, failure: Failure) -> StoreError {
        StoreError::Unavailable { doing, endpoints: self.endpoints.clone(), source: failure.into_source() }
    }

    /// The present revision.
    async fn present(&self, doing: &'static str) -> Result<Revision, StoreError> {
        let mut retry = Retry::new();
        loop {
            let options = GetOptions::new().with_count_only();
            match self.kv().get(self.words.root(), Some(options)).await {
                Ok(response) => return self.words.revision(response.header()),
                Err(error) => {
                    retry.wait(Failure::of_read(error)).await.map_err(|last| self.failed(doing, last))?
                }
            }
        }
    }

    async fn entry(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let mut retry = Retry::new();
        loop {
            match self.kv().get(self.words.name(key.as_str()), None).await {
                Ok(response) => return response.kvs().first().map(|kv| self.words.entry(kv)).transpose(),
                Err(error) => {
                    retry
                        .wait(Failure::of_read(error))
                        .await
                        .map_err(|last| self.failed("read an entry", last))?;
                }
            }
        }
    }

    async fn listing(&self, prefix: &Prefix) -> Result<Listing, StoreError> {
        let mut begun = 1;
        loop {
            match self.pages(prefix).await {
                Err(StoreError::Compacted { .. }) if begun < LISTINGS_MAX => begun += 1,
                other => return other,
            }
        }
    }

    /// Page by page, all of the revision that the first page is of.
    async fn pages(&self, prefix: &Prefix) -> Result<Listing, StoreError> {
        let end = self.words.name(&prefix.end());
        let mut from = self.words.name(prefix.as_str());
        let mut listing: Option<Listing> = None;
        let (mut bytes, mut retry) = (0, Retry::new());
        loop {
            let at = listing.as_ref().map_or(Revision(0), |listing| listing.revision);
            let options =
                GetOptions::new().with_range(end.clone()).with_limit(PAGE_LEN).with_revision(at.signed());
            let response = match self.kv().get(from.clone(), Some(options)).await {
                Ok(response) => response,
                Err(error) => {
                    let failure = Failure::of_read(error);
                    if failure.is_out_of_range() {
                        return Err(StoreError::Compacted { asked: at, compacted: at });
                    }
                    retry.wait(failure).await.map_err(|last| self.failed("list entries", last))?;
                    continue;
                }
            };
            let revision = self.words.revision(response.header())?;
            let listing = listing.get_or_insert(Listing { revision, entries: Vec::new() });
            for kv in response.kvs() {
                bytes += kv.key().len() + kv.value().len();
                if bytes > LIST_BYTES_MAX {
                    return Err(StoreError::ListBytes { prefix: prefix.to_string() });
                }
                listing.entries.push(self.words.entry(kv)?);
            }
            match response.kvs().last() {
                Some(last) if response.more() => {
                    from = last.key().to_vec();
                    from.push(0);
                }
                _ => return Ok(std::mem::take(listing)),
            }
        }
    }

    async fn transact(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        let doing = "write a transaction";
        let mut retry = Retry::new();
        loop {
            let txn = Txn::new()
                .when(transaction.guards().iter().map(|guard| self.words.compare(guard)).collect::<Vec<_>>())
                .and_then(
                    transaction
                        .operations()
                        .iter()
                        .map(|each| self.words.operation(each))
                        .collect::<Vec<_>>(),
                )
                .or_else(transaction.guards().iter().map(|guard| self.words.look(guard)).collect::<Vec<_>>());
            match self.kv().txn(txn).await {
                Ok(response) if response.succeeded() => return self.words.revision(response.header()),
                Ok(response) => {
                    return Err(self.words.conflict(transaction.guards(), &response.op_responses()));
                }
                Err(error) => match Failure::of_write(error) {
                    failure if failure.is_not_found() => {
                        let lease = transaction.operations().iter().find_map(|operation| match operation {
                            Operation::Put { lease, .. } => *lease,
                            Operation::Delete(_) => None,
                        });
                        return Err(StoreError::LeaseGone(lease.unwrap_or(LeaseId(0))));
                    }
                    failure if failure.is_uncertain() => {
                        return Err(StoreError::Uncertain { doing, source: failure.into_source() });
                    }
                    failure => retry.wait(failure).await.map_err(|last| self.failed(doing, last))?,
                },
            }
        }
    }

    async fn lease(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        let seconds = super::entry::lease_seconds(ttl)?;
        let doing = "grant a lease";
        let mut retry = Retry::new();
        loop {
            // One that was granted without our hearing of it runs out by itself.
            match self.client.lease_client().grant(seconds, None).await {
                Ok(response) => return Ok(LeaseId(response.id())),
                Err(error) => {
                    retry.wait(Failure::of_read(error)).await.map_err(|last| self.failed(doing, last))?
                }
            }
        }
    }

    async fn prolong(&self, lease: LeaseId) -> Result<(), StoreError> {
        let doing = "keep a lease alive";
        let mut retry = Retry::new();
        loop {
            match self.client.lease_client().keep_alive(lease.0).await {
                Ok(_) => return Ok(()),
                // The library's word for an answer without time left.
                Err(etcd_client::Error::LeaseKeepAliveError(_)) => return Err(StoreError::LeaseGone(lease)),
                Err(error) => match Failure::of_read(error) {
                    failure if failure.is_not_found() => return Err(StoreError::LeaseGone(lease)),
                    failure => retry.wait(failure).await.map_err(|last| self.failed(doing, last))?,
                },
            }
        }
    }

    async fn end_lease(&self, lease: LeaseId) -> Result<(), StoreError> {
        let doing = "revoke a lease";
        let mut retry = Retry::new();
        loop {
            match self.client.lease_client().revoke(lease.0).await {
                Ok(_) => return Ok(()),
                Err(error) => match Failure::of_write(error) {
                    failure if failure.is_not_found() => return Err(StoreError::LeaseGone(lease)),
                    failure if failure.is_uncertain() => {
                        return Err(StoreError::Uncertain { doing, source: failure.into_source() });
                    }
                    failure => retry.wait(failure).await.map_err(|last| self.failed(doing, last))?,
                },
            }
        }
    }

    async fn forget(&self, upto: Revision) -> Result<(), StoreError> {
        let doing = "compact";
        let upto = upto.min(self.present(doing).await?);
        if upto == Revision(0) {
            return Ok(());
        }
        let mut retry = Retry::new();
        loop {
            let options = CompactionOptions::new();
            match self.kv().compact(upto.signed(), Some(options)).await {
                Ok(_) => return Ok(()),
                Err(error) => match Failure::of_read(error) {
                    // It is already.
                    failure if failure.is_out_of_range() => return Ok(()),
                    failure => retry.wait(failure).await.map_err(|last| self.failed(doing, last))?,
                },
            }
        }
    }
}

impl Store for EtcdStore {
    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>> {
        Box::pin(self.entry(key))
    }

    fn list<'a>(&'a self, prefix: &'a Prefix) -> Answer<'a, Listing> {
        Box::pin(self.listing(prefix))
    }

    fn commit(&self, transaction: Transaction) -> Answer<'_, Revision> {
        Box::pin(async move { self.transact(&transaction).await })
    }

    fn watch<'a>(&'a self, prefix: &'a Prefix, from: Revision) -> Answer<'a, Box<dyn Watch>> {
        Box::pin(async move {
            let client = self.client.watch_client().max_decoding_message_size(MESSAGE_BYTES_MAX);
            let watch =
                EtcdWatch::new(client, self.words.clone(), self.endpoints.clone(), prefix.clone(), from);
            Ok(Box::new(watch) as Box<dyn Watch>)
        })
    }

    fn grant(&self, ttl: Duration) -> Answer<'_, LeaseId> {
        Box::pin(self.lease(ttl))
    }

    fn keep_alive(&self, lease: LeaseId) -> Answer<'_, ()> {
        Box::pin(self.prolong(lease))
    }

    fn revoke(&self, lease: LeaseId) -> Answer<'_, ()> {
        Box::pin(self.end_lease(lease))
    }

    fn compact(&self, upto: Revision) -> Answer<'_, ()> {
        Box::pin(self.forget(upto))
    }
}
