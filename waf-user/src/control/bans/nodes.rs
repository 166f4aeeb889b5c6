//! What nodes tell of bans -> transactions of many at once: what comes while one is being written goes with the next. Which
//! tenants a node serves is not known here.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use tokio::sync::Notify;

use super::limits::{AGAIN_AFTER, CHUNK_LEN, WAITING_OF_NODE_MAX};
use super::write::{Wish, Wishes};
use super::{BanBook, BanError, room};
use crate::model::NodeName;
use crate::model::sync::BanKey;

/// In the order of arrival.
#[derive(Default)]
pub(super) struct Waiting {
    wishes: VecDeque<(NodeName, BanKey, Wish)>,
    of_node: HashMap<NodeName, usize>,
}

impl Waiting {
    /// # Errors
    /// Too many of this node wait.
    pub fn push(&mut self, node: &NodeName, key: BanKey, wish: Wish) -> Result<(), BanError> {
        let count = self.of_node.entry(node.clone()).or_default();
        if *count >= WAITING_OF_NODE_MAX {
            return Err(BanError::Waiting(node.clone()));
        }
        *count += 1;
        self.wishes.push_back((node.clone(), key, wish));
        Ok(())
    }

    pub fn take(&mut self) -> Wishes {
        let mut taken = Wishes::new();
        while taken.len() < CHUNK_LEN
            && let Some((node, key, wish)) = self.wishes.pop_front()
        {
            if let Some(count) = self.of_node.get_mut(&node) {
                *count -= 1;
                if *count == 0 {
                    self.of_node.remove(&node);
                }
            }
            taken.insert(key, wish);
        }
        taken
    }
}

/// Writes what nodes tell, for as long as somebody holds the book.
pub(super) async fn write(book: Weak<BanBook>, told: Arc<Notify>) {
    loop {
        told.notified().await;
        let Some(book) = book.upgrade() else { return };
        loop {
            let mut wishes = book.waiting().take();
            if wishes.is_empty() {
                break;
            }
            let left_out = room::for_rules(&book.known(), &mut wishes);
            if left_out > 0 {
                tracing::warn!(
                    left_out,
                    "bans of rules hold at their own nodes only: the fleet's room is taken"
                );
            }
            book.write_until_done(wishes).await;
        }
    }
}

impl BanBook {
    /// A store that cannot be asked now holds up those behind; each node's room for them is bounded.
    async fn write_until_done(&self, wishes: Wishes) {
        loop {
            match self.write(wishes.clone(), None, self.now()).await {
                Ok(_) => return,
                Err(error) if error.is_passing() => {
                    tracing::warn!(%error, "bans of nodes wait for the store");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Err(error) => {
                    tracing::error!(%error, count = wishes.len(), "bans of nodes hold at those nodes only");
                    return;
                }
            }
        }
    }
}
