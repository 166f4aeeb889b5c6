//! Many writers at once.

use std::collections::BTreeSet;

use super::*;

const WRITERS: usize = 1_000;

pub async fn one_of_a_thousand_wins(store: Arc<dyn Store>, prefix: Prefix) {
    let key = prefix.key("head").unwrap();
    put(&store, &key, "old").await;
    let read = store.get(&key).await.unwrap();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let transaction = Transaction::replace(&key, read.as_ref(), writer.to_string()).unwrap();
        let (store, key) = (Arc::clone(&store), key.clone());
        writers.push(tokio::spawn(async move {
            let committed = store.commit(transaction).await;
            (committed, store.get(&key).await.unwrap())
        }));
    }
    let mut won = Vec::new();
    for (writer, result) in writers.into_iter().enumerate() {
        let (committed, seen) = result.await.unwrap();
        assert_ne!(seen, read, "whoever won or lost reads at once what decided it");
        match committed {
            Ok(revision) => won.push((writer, revision)),
            Err(error) => {
                assert!(error.is_conflict(), "{error}");
                assert!(error.to_string().contains("read it again"), "{error}");
            }
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    let entry = store.get(&key).await.unwrap().unwrap();
    assert_eq!((entry.value, entry.modified), (won[0].0.to_string().into_bytes(), won[0].1));
}

pub async fn a_thousand_serialise(store: Arc<dyn Store>, prefix: Prefix) {
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let key = prefix.key(format!("{writer:04}")).unwrap();
        let transaction = Transaction::replace(&key, None, writer.to_string()).unwrap();
        let store = Arc::clone(&store);
        writers.push(tokio::spawn(async move { store.commit(transaction).await }));
    }
    let mut revisions = BTreeSet::new();
    for writer in writers {
        revisions.insert(writer.await.unwrap().unwrap());
    }
    assert_eq!(revisions.len(), WRITERS, "each has a revision of its own");
    let listing = store.list(&prefix).await.unwrap();
    let listed: BTreeSet<Revision> = listing.entries.iter().map(|entry| entry.modified).collect();
    assert_eq!(listed, revisions);
}

pub async fn a_counter_loses_no_step(store: Arc<dyn Store>, prefix: Prefix) {
    const COUNTERS: usize = 8;
    const STEPS: usize = 25;
    let key = prefix.key("count").unwrap();
    let mut counters = Vec::new();
    for _ in 0..COUNTERS {
        let (store, key) = (Arc::clone(&store), key.clone());
        counters.push(tokio::spawn(async move {
            let mut steps = 0;
            while steps < STEPS {
                let read = store.get(&key).await.unwrap();
                let count: usize = read.as_ref().map_or(0, |entry| text(entry).parse().unwrap());
                let transaction = Transaction::replace(&key, read.as_ref(), (count + 1).to_string()).unwrap();
                match store.commit(transaction).await {
                    Ok(_) => steps += 1,
                    Err(error) => assert!(error.is_conflict(), "{error}"),
                }
            }
        }));
    }
    for counter in counters {
        counter.await.unwrap();
    }
    let entry = store.get(&key).await.unwrap().unwrap();
    assert_eq!(text(&entry), (COUNTERS * STEPS).to_string());
}

fn text(entry: &Entry) -> String {
    String::from_utf8(entry.value.clone()).unwrap()
}
