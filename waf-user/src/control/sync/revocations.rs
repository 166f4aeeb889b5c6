//! Certificates that are taken away -> the streams that were opened with them end at once.

use std::convert::Infallible;

use super::fleet::{Fleet, revoked};
use super::limits::STORE_AGAIN_AFTER;
use super::seat::lock;
use crate::control::store::{Change, Followed, Follower, Key, Prefix};

const PREFIX: &str = "revoked/";

pub async fn follow(fleet: &Fleet) -> Infallible {
    let prefix = Prefix::new(PREFIX).expect("visible ASCII");
    let mut follower = Follower::new(fleet.store.clone(), prefix.clone());
    loop {
        let taken: Vec<Key> = match follower.next().await {
            Ok(Followed::Listing(listing)) => listing.entries.into_iter().map(|entry| entry.key).collect(),
            Ok(Followed::Changes(changes)) => changes.changes.into_iter().filter_map(put).collect(),
            Err(error) => {
                tracing::warn!(%error, "revoked certificates are not followed at the moment");
                tokio::time::sleep(STORE_AGAIN_AFTER).await;
                continue;
            }
        };
        let mut hub = lock(&fleet.hub);
        // Never fewer: one that has ended by itself is refused by TLS.
        hub.revoked.extend(taken.iter().filter_map(|key| prefix.rest(key)).map(str::to_owned));
        for seat in hub.seats.values().filter(|seat| hub.revoked.contains(&seat.peer.serial)) {
            seat.end(&revoked(&seat.node));
        }
    }
}

fn put(change: Change) -> Option<Key> {
    match change {
        Change::Put(entry) => Some(entry.key),
        Change::Deleted(_) => None,
    }
}
