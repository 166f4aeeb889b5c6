//! What any process writes -> what this one knows; and what has run out -> gone.

use std::sync::Weak;

use super::entry::{Kept, store_key};
use super::limits::{AGAIN_AFTER, CHUNK_LEN, SWEEP_AFTER_MS, SWEEP_EVERY};
use super::{BanBook, BanError};
use crate::control::store::{Followed, Follower, Guard, Operation, StoreError, Transaction};
use crate::model::Wall;
use crate::model::sync::BanKey;

impl BanBook {
    pub(super) fn hear(&self, told: Followed) {
        let revision = {
            let mut known = self.known_mut();
            match told {
                Followed::Listing(listing) => known.list(listing),
                Followed::Changes(changes) => known.change(changes),
            }
            known.revision()
        };
        self.changed.send_if_modified(|shown| std::mem::replace(shown, revision) != revision);
    }

    /// Removes what ran out some time ago; how many that were. A ban that was made longer meanwhile stays, and so does what
    /// another process is removing.
    pub(super) async fn sweep(&self, now: Wall) -> Result<u64, BanError> {
        let over = self.known().over(Wall(now.0.saturating_sub(SWEEP_AFTER_MS)));
        self.remove(over).await
    }

    /// Those that are still as they were heard.
    pub(super) async fn remove(&self, over: Vec<(BanKey, Kept)>) -> Result<u64, BanError> {
        let mut swept = 0;
        for chunk in over.chunks(CHUNK_LEN) {
            let (mut guards, mut operations) = (Vec::new(), Vec::new());
            for (key, kept) in chunk {
                let key = store_key(*key)?;
                guards.push(Guard::ModifiedAt(key.clone(), kept.modified));
                operations.push(Operation::Delete(key));
            }
            match self.store.commit(Transaction::new(guards, operations)?).await {
                Ok(_) => swept += chunk.len() as u64,
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(swept)
    }
}

/// Follows the store, for as long as somebody holds the book.
pub(super) async fn follow(book: Weak<BanBook>, mut follower: Follower) {
    loop {
        let told = follower.next().await;
        let Some(book) = book.upgrade() else { return };
        match told {
            Ok(told) => book.hear(told),
            Err(error) => {
                drop(book);
                tracing::warn!(%error, "bans are not followed at the moment");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

/// Sweeps, for as long as somebody holds the book.
pub(super) async fn sweep(book: Weak<BanBook>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(book) = book.upgrade() else { return };
        if let Err(error) = book.sweep(book.now()).await {
            tracing::warn!(%error, "bans that ran out are not removed at the moment");
        }
    }
}
