//! A store whose answer to a commit gets lost: before it happened, or after.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::control::store::{self, Answer, LeaseId, Listing, StoreError, Watch};

/// Which of the next commits has no answer, counted from 0, and whether it happens.
struct Lossy {
    store: Arc<dyn Store>,
    left: AtomicUsize,
    happens: bool,
}

impl Store for Lossy {
    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<store::Entry>> {
        self.store.get(key)
    }

    fn list<'a>(&'a self, prefix: &'a Prefix) -> Answer<'a, Listing> {
        self.store.list(prefix)
    }

    fn commit(&self, transaction: Transaction) -> Answer<'_, store::Revision> {
        Box::pin(async move {
            let lost = self.left.fetch_sub(1, Ordering::Relaxed) == 0;
            if !lost || self.happens {
                let committed = self.store.commit(transaction).await;
                if !lost {
                    return committed;
                }
                committed.unwrap();
            }
            Err(StoreError::Uncertain { doing: "commit", source: "the answer got lost".into() })
        })
    }

    fn watch<'a>(&'a self, prefix: &'a Prefix, from: store::Revision) -> Answer<'a, Box<dyn Watch>> {
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

    fn compact(&self, upto: store::Revision) -> Answer<'_, ()> {
        self.store.compact(upto)
    }
}

#[tokio::test]
async fn whether_a_change_happened_is_told_though_the_answer_got_lost() {
    // A large apply: some parts, the counter, each part carried out, the counter.
    for count in [1, MANY] {
        for lost in 0..16 {
            for happens in [false, true] {
                let folder = Folder::new("ledger");
                let plain = sqlite(&folder);
                drop(with_nodes(&plain).await);
                let lossy: Arc<dyn Store> =
                    Arc::new(Lossy { store: Arc::clone(&plain), left: AtomicUsize::new(lost), happens });
                let ledger = open(&lossy).await;
                let plan = ledger.plan(&wishes(count, 2), NOW);
                let applied = ledger.apply(&plan, Vec::new(), &operator(), NOW).await;
                let name = format!("{count} sites, answer {lost} lost, happens: {happens}: {applied:?}");
                let there = open(&plain).await.view();
                let expected = if applied.is_ok() { count } else { 0 };
                assert_eq!(there.state.sites().len(), expected, "{name}");
                assert_eq!(ledger.view().state, there.state, "{name}");
                // And it goes on, on the lossy store too.
                let plan = ledger.plan(&wishes(count + 1, 2), NOW);
                let next = ledger.apply(&plan, Vec::new(), &operator(), NOW).await;
                let next = next.is_ok() || ledger.apply(&plan, Vec::new(), &operator(), NOW).await.is_ok();
                assert!(next, "{name}");
                let there = open(&plain).await.view();
                assert_eq!(there.state.sites().len(), count + 1, "{name}");
                assert_valid(&there);
            }
        }
    }
}
