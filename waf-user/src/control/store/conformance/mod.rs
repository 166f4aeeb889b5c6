//! What every engine of the store holds to: one set of cases, run on SQLite and on a real etcd. A case has a prefix of its
//! own, so that all of them run beside each other on one engine.

mod cases;
mod contention;
mod continuity;
mod generations;
mod leases;

mod folder;
mod killed;
mod sqlite;
mod troubled;

#[cfg(feature = "etcd")]
mod cluster;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(not(feature = "etcd"))]
mod without_etcd;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::*;

#[cfg(feature = "etcd")]
pub use cluster::{Cluster, program};
#[cfg(feature = "etcd")]
pub use etcd::connect;
pub use folder::Folder;
pub use troubled::{Fate, Troubled};

/// No case takes this long on a busy machine.
const CASE_WITHIN: Duration = Duration::from_secs(120);

/// One case: a store that others use too, and the prefix that is the case's own.
type Case = fn(Arc<dyn Store>, Prefix) -> BoxFuture<'static, ()>;

macro_rules! table {
    ($($module:ident::$name:ident),* $(,)?) => {
        [$((stringify!($name), (|store, prefix| Box::pin($module::$name(store, prefix))) as Case)),*]
    };
}

fn all() -> Vec<(&'static str, Case)> {
    table![
        cases::put_get_delete,
        cases::guards_compare,
        cases::a_refused_transaction_changes_nothing,
        cases::one_revision_for_all_of_a_transaction,
        cases::listings_keep_to_their_prefix,
        cases::largest_transactions_fit,
        contention::a_counter_loses_no_step,
        continuity::a_watch_tells_all_since_its_revision,
        continuity::a_cancelled_wait_loses_nothing,
        continuity::watches_are_continuous_under_writes,
        leases::keys_go_with_their_lease,
        leases::a_lease_kept_alive_stays,
        leases::a_revoked_lease_is_gone,
        generations::a_generation_counts_when_its_head_is_set,
        generations::of_two_writers_one_wins,
        generations::what_a_killed_writer_left_is_cleared,
        generations::readers_see_whole_generations,
    ]
    .to_vec()
}

/// Cases that leave no room for others, or take from them what they watch.
fn alone() -> Vec<(&'static str, Case)> {
    table![
        contention::one_of_a_thousand_wins,
        contention::a_thousand_serialise,
        continuity::a_compacted_watch_says_so_and_lists_again,
    ]
    .to_vec()
}

/// Runs all cases, and says which failed.
async fn run(engine: &str, store: Arc<dyn Store>) {
    let mut failed = beside_each_other(engine, &store, all()).await;
    for case in alone() {
        failed.extend(beside_each_other(engine, &store, vec![case]).await);
    }
    assert!(failed.is_empty(), "{engine}: {failed:#?}");
}

async fn beside_each_other(
    engine: &str,
    store: &Arc<dyn Store>,
    cases: Vec<(&'static str, Case)>,
) -> Vec<String> {
    let mut running = Vec::new();
    for (name, case) in cases {
        let prefix = Prefix::new(format!("{name}/")).unwrap();
        let start = Instant::now();
        let case = tokio::time::timeout(CASE_WITHIN, case(Arc::clone(store), prefix));
        running.push((name, tokio::spawn(async move { (case.await, start.elapsed()) })));
    }
    let mut failed = Vec::new();
    for (name, case) in running {
        match case.await {
            Ok((Ok(()), took)) => println!("{engine}: {name}: {} ms", took.as_millis()),
            Ok((Err(_), _)) => failed.push(format!("{name} took over {} s", CASE_WITHIN.as_secs())),
            Err(panic) => failed.push(format!("{name}: {panic}")),
        }
    }
    failed
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Puts one value, whatever was there.
async fn put(store: &Arc<dyn Store>, key: &Key, value: impl Into<Vec<u8>>) -> Revision {
    let transaction = Transaction::new(Vec::new(), vec![Operation::put(key, value)]).unwrap();
    store.commit(transaction).await.unwrap()
}

async fn delete(store: &Arc<dyn Store>, key: &Key) -> Revision {
    let transaction = Transaction::new(Vec::new(), vec![Operation::Delete(key.clone())]).unwrap();
    store.commit(transaction).await.unwrap()
}

/// The next changes of a watch, which come within the deadline of a case.
async fn next(watch: &mut Box<dyn Watch>) -> Changes {
    tokio::time::timeout(CASE_WITHIN, watch.next()).await.expect("changes in time").unwrap()
}
