//! A new revision -> targets for the nodes that it changes something for; when all of them have staged theirs, those of
//! other control processes too, or after a while, they serve it. One wave at a time: what is applied meanwhile goes with
//! the next one.

use std::convert::Infallible;
use std::sync::Arc;

use super::fleet::{Fleet, gone};
use super::seat::lock;
use super::target::{Target, is_same};
use crate::control::ledger::View;
use crate::model::Mono;

pub async fn run(fleet: &Fleet) -> Infallible {
    let mut changed = fleet.ledger.changed();
    loop {
        changed.borrow_and_update();
        let view = fleet.ledger.view();
        let revision = view.revision().0;
        begin(fleet, view);
        let begun = Mono::now();
        let is_whole = tokio::time::timeout(fleet.times.staged, staged(fleet, revision)).await.is_ok();
        fleet.set_go(revision);
        if !is_whole {
            let late: Vec<String> = {
                let hub = lock(&fleet.hub);
                hub.waiting.iter().chain(&hub.waiting_elsewhere).map(ToString::to_string).collect()
            };
            tracing::warn!(revision, ?late, "activated by the others: these nodes have not staged it yet");
        }
        tracing::debug!(revision, after_us = Mono::now().since_ns(begun) / 1000, "a revision may be served");
        // The ledger is ours too: it does not go first.
        if changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Sets every seat's target as of this view, and whom to wait for.
fn begin(fleet: &Fleet, view: Arc<View>) {
    let mut hub = lock(&fleet.hub);
    let before = std::mem::replace(&mut hub.view, view);
    let view = Arc::clone(&hub.view);
    hub.waiting.clear();
    let others = fleet.kept.others().into_iter().filter(|node| !hub.seats.contains_key(node));
    hub.waiting_elsewhere = others.filter(|node| !is_same(node, &before, &view)).collect();
    let seats: Vec<_> = hub.seats.values().cloned().collect();
    for seat in seats {
        if is_same(&seat.node, &before, &view) {
            continue;
        }
        let Some(target) = Target::of(&seat.node, &view) else {
            seat.end(&gone(&seat.node, &view));
            continue;
        };
        if seat.session().aim(Arc::new(target)) {
            hub.waiting.insert(seat.node.clone());
            seat.wake.notify_one();
            fleet.kept.tell(&seat.node);
        }
    }
}

async fn staged(fleet: &Fleet, revision: u64) {
    loop {
        let is_done = {
            let hub = lock(&fleet.hub);
            hub.waiting.is_empty() && !fleet.kept.is_awaited(&hub.waiting_elsewhere, revision)
        };
        if is_done {
            return;
        }
        fleet.is_settled.notified().await;
    }
}
