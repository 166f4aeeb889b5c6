//! etcd against the cases: three real members, one of them killed on the way.

use std::sync::atomic::{AtomicBool, Ordering};

use super::cluster::{Cluster, program};
use super::*;
use crate::control::store::{EtcdSettings, EtcdStore};

pub async fn try_connect<'a>(endpoints: impl Iterator<Item = &'a str>) -> Result<EtcdStore, StoreError> {
    let settings = EtcdSettings {
        endpoints: endpoints.map(str::to_owned).collect(),
        root: "waf-test/".to_owned(),
        authority_pem: None,
        identity: None,
        user: None,
    };
    EtcdStore::connect(&settings).await
}

pub async fn connect<'a>(endpoints: impl Iterator<Item = &'a str>) -> Arc<dyn Store> {
    Arc::new(try_connect(endpoints).await.unwrap())
}

/// One cluster for all of it: three members take some seconds to start.
#[test]
fn etcd_conforms() {
    let Some(program) = program() else {
        println!(
            "skipped: etcd under the store (no etcd-server on this machine; cargo xtask setup fetches it)"
        );
        return;
    };
    let mut cluster = Cluster::start(&program, 3);
    let endpoints = cluster.endpoints();
    let connected = || connect(endpoints.iter().map(String::as_str));
    let runtime = runtime();
    let store = runtime.block_on(connected());
    runtime.block_on(run("etcd", Arc::clone(&store)));

    let place = format!("etcd:{}", endpoints.join(","));
    killed::writers_lose_nothing(&place, 5, || Ok(runtime.block_on(connected())));

    // Each member once, so that the leader is among them.
    for member in 0..3 {
        a_killed_member_costs_nothing(&runtime, &store, &mut cluster, member);
    }
}

/// Writes and watches while a member is killed and comes back: all acknowledged steps are there and were told.
fn a_killed_member_costs_nothing(
    runtime: &tokio::runtime::Runtime,
    store: &Arc<dyn Store>,
    cluster: &mut Cluster,
    member: usize,
) {
    const BEFORE: u64 = 20;
    const AFTER: u64 = 20;
    let prefix = Prefix::new(format!("member-{member}/")).unwrap();
    let key = prefix.key("steps").unwrap();
    let from = runtime.block_on(store.list(&prefix)).unwrap().revision.next();
    let done = Arc::new(AtomicBool::new(false));
    let watching = runtime.spawn(watch_until(Arc::clone(store), prefix, from, Arc::clone(&done)));

    let mut steps = Steps::default();
    runtime.block_on(steps.take(store, &key, BEFORE));
    cluster.kill(member);
    runtime.block_on(steps.take(store, &key, AFTER));
    cluster.restart(member);
    runtime.block_on(steps.take(store, &key, AFTER));

    let last = runtime.block_on(store.get(&key)).unwrap().unwrap();
    let there: u64 = str::from_utf8(&last.value).unwrap().parse().unwrap();
    assert_eq!(there, steps.there);
    done.store(true, Ordering::Relaxed);
    // Wakes the watch a last time.
    runtime.block_on(put(store, &key, "end"));
    let told =
        runtime.block_on(async { tokio::time::timeout(CASE_WITHIN, watching).await.unwrap().unwrap() });
    let expected: Vec<String> =
        (1..=steps.there).map(|step| step.to_string()).chain(["end".to_owned()]).collect();
    assert_eq!(told, expected, "member {member}");
    println!("etcd: member {member} killed: {} steps, {} uncertain, none lost", steps.there, steps.uncertain);
}

/// Values of one key, in the order in which a watch tells them.
async fn watch_until(
    store: Arc<dyn Store>,
    prefix: Prefix,
    from: Revision,
    done: Arc<AtomicBool>,
) -> Vec<String> {
    let mut watch = store.watch(&prefix, from).await.unwrap();
    let mut told = Vec::new();
    while !(done.load(Ordering::Relaxed) && told.last().is_some_and(|last| last == "end")) {
        for change in watch.next().await.unwrap().changes {
            if let Change::Put(entry) = change {
                told.push(String::from_utf8(entry.value).unwrap());
            }
        }
    }
    told
}

/// A counter that is raised by compare-and-set.
#[derive(Default)]
struct Steps {
    there: u64,
    uncertain: u64,
}

impl Steps {
    async fn take(&mut self, store: &Arc<dyn Store>, key: &Key, count: u64) {
        let goal = self.there + count;
        while self.there < goal {
            let read = store.get(key).await.unwrap();
            let value =
                read.as_ref().map_or(0, |entry| str::from_utf8(&entry.value).unwrap().parse().unwrap());
            // What was acknowledged is there; what was uncertain may be.
            assert!(value >= self.there, "{value} after {} was acknowledged", self.there);
            self.there = value;
            let transaction = Transaction::replace(key, read.as_ref(), (value + 1).to_string()).unwrap();
            match store.commit(transaction).await {
                Ok(_) => self.there = value + 1,
                Err(StoreError::Uncertain { .. }) => self.uncertain += 1,
                Err(error) if error.is_passing() || error.is_conflict() => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
