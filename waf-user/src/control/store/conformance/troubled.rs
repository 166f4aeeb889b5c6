//! A store that counts commits, and fails when told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::control::store::{
    Answer, Entry, Key, LeaseId, Listing, Prefix, Revision, Store, StoreError, Transaction, Watch,
};

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    Unavailable,
    /// No answer, and it was done or not.
    Lost {
        is_done: bool,
    },
}

pub struct Troubled {
    store: Arc<dyn Store>,
    fates: Mutex<VecDeque<Fate>>,
    pub commits: AtomicUsize,
}

impl Troubled {
    /// The fates of the next commits; those after are done.
    pub fn new(store: &Arc<dyn Store>, fates: impl IntoIterator<Item = Fate>) -> Arc<Self> {
        let fates = Mutex::new(fates.into_iter().collect());
        Arc::new(Self { store: Arc::clone(store), fates, commits: AtomicUsize::new(0) })
    }
}

impl Store for Troubled {
    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>> {
        self.store.get(key)
    }

    fn list<'a>(&'a self, prefix: &'a Prefix) -> Answer<'a, Listing> {
        self.store.list(prefix)
    }

    fn commit(&self, transaction: Transaction) -> Answer<'_, Revision> {
        let fate = self.fates.lock().unwrap().pop_front().unwrap_or(Fate::Done);
        Box::pin(async move {
            self.commits.fetch_add(1, Ordering::Relaxed);
            match fate {
                Fate::Done => return self.store.commit(transaction).await,
                Fate::Lost { is_done: true } => drop(self.store.commit(transaction).await?),
                Fate::Lost { is_done: false } => {}
                Fate::Unavailable => {
                    let endpoints = "nowhere".to_owned();
                    let source = "it is gone".into();
                    return Err(StoreError::Unavailable { doing: "commit", endpoints, source });
                }
            }
            Err(StoreError::Uncertain { doing: "commit", source: "the answer got lost".into() })
        })
    }

    fn watch<'a>(&'a self, prefix: &'a Prefix, from: Revision) -> Answer<'a, Box<dyn Watch>> {
        self.store.watch(prefix, from)
    }

    fn grant(&self, ttl: Duration) -> Answer<'_, LeaseId> {
        self.store.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Answer<'_, ()> {
        self.store.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Answer<'_, ()> {
        self.store.revoke(lease)
    }

    fn compact(&self, upto: Revision) -> Answer<'_, ()> {
        self.store.compact(upto)
    }
}
