//! The largest list on each engine of the store: made at one process in the API's portions, heard at the other, told to a
//! node.

use std::time::Instant;

use super::node::Node;
use super::*;
use crate::control::bans::limits::PART_LEN;

/// What the largest list of an operator holds.
const MANY: u32 = 100_000;
/// What `waf ban import` sends at once.
const PORTION_LEN: u32 = 2_000;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn many_are_made(engine: &str, store: &Arc<dyn Store>) {
    let hands = Hands::new();
    let (one, other) = (open(store, &hands).await, open(store, &hands).await);
    let start = Instant::now();
    for from in (0..MANY).step_by(PORTION_LEN as usize) {
        let bans = (from..from + PORTION_LEN).map(|at| making(numbered(at), 60, true)).collect();
        let made = one.put(&Where::Fleet, bans, &operator(), hands.now()).await.unwrap();
        assert_eq!(made, u64::from(PORTION_LEN));
    }
    let made = start.elapsed();
    until(&other, |other| other.known().total().of_people == MANY as usize).await;
    let heard = start.elapsed() - made;
    let start = Instant::now();
    let mut node = Node::new([1]);
    let parts = node.hear(&other);
    let told = start.elapsed();
    assert_eq!(parts, MANY as usize / PART_LEN + 1);
    assert_eq!(node.holds(hands.now()).len(), MANY as usize);
    assert_eq!(node.holds(hands.now()), all(&one));
    let start = Instant::now();
    let again = (0..PORTION_LEN).map(|at| making(numbered(at), 60, true)).collect();
    assert_eq!(one.put(&Where::Fleet, again, &operator(), hands.now()).await.unwrap(), 0);
    let again = start.elapsed();
    println!(
        "{engine}: {MANY} bans made in {} ms, heard by the other process {} ms later, told whole in {} ms; {PORTION_LEN} \
         again {} ms",
        made.as_millis(),
        heard.as_millis(),
        told.as_millis(),
        again.as_millis()
    );
}

#[test]
fn sqlite_takes_the_largest_list() {
    let folder = Folder::new("bans");
    runtime().block_on(many_are_made("sqlite", &sqlite(&folder)));
}

#[cfg(feature = "etcd")]
#[test]
fn etcd_takes_the_largest_list() {
    use crate::control::store::{Cluster, connect, program};

    let Some(program) = program() else {
        println!("skipped: bans on etcd (no etcd-server on this machine; cargo xtask setup fetches it)");
        return;
    };
    let cluster = Cluster::start(&program, 3);
    let endpoints = cluster.endpoints();
    runtime().block_on(async {
        let store = connect(endpoints.iter().map(String::as_str)).await;
        many_are_made("etcd, three members", &store).await;
    });
}
