//! A listing and then every change to it: what a cache of a prefix needs. Where the store has forgotten changes, or a
//! watch broke off, it goes on by itself.

use std::sync::Arc;

use super::{Changes, Listing, Prefix, Revision, Store, StoreError, Watch};

/// What a follower sees next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Everything below the prefix, in place of all that was seen before. First, and again after a compaction.
    Listing(Listing),
    /// What changed since.
    Changes(Changes),
}

/// Follows one prefix.
pub struct Follower {
    store: Arc<dyn Store>,
    prefix: Prefix,
    /// The last revision seen; none means: list.
    seen: Option<Revision>,
    watch: Option<Box<dyn Watch>>,
}

impl Follower {
    pub fn new(store: Arc<dyn Store>, prefix: Prefix) -> Self {
        Self { store, prefix, seen: None, watch: None }
    }

    /// The next thing to know. Waits without end; may be cancelled and called again, nothing is lost.
    ///
    /// # Errors
    /// The store's. After one that is passing, call again a little later: it goes on where it was.
    pub async fn next(&mut self) -> Result<Followed, StoreError> {
        loop {
            let Some(seen) = self.seen else {
                let listing = self.store.list(&self.prefix).await?;
                self.seen = Some(listing.revision);
                return Ok(Followed::Listing(listing));
            };
            let watch = match &mut self.watch {
                Some(watch) => watch,
                none => none.insert(self.store.watch(&self.prefix, seen.next()).await?),
            };
            match watch.next().await {
                Ok(changes) => {
                    self.seen = Some(changes.revision);
                    return Ok(Followed::Changes(changes));
                }
                Err(StoreError::Compacted { .. }) => {
                    self.watch = None;
                    self.seen = None;
                }
                Err(error) => {
                    self.watch = None;
                    return Err(error);
                }
            }
        }
    }
}
