//! Watches: everything, once, in order, or word that it is forgotten.

use super::*;

pub async fn a_watch_tells_all_since_its_revision(store: Arc<dyn Store>, prefix: Prefix) {
    let (a, b) = (prefix.key("in/a").unwrap(), prefix.key("in/b").unwrap());
    let first = put(&store, &a, "1").await;
    let second = put(&store, &b, "2").await;
    put(&store, &prefix.key("out").unwrap(), "unseen").await;
    let operations = vec![Operation::Delete(a.clone()), Operation::put(&b, "3")];
    let third = store.commit(Transaction::new(Vec::new(), operations).unwrap()).await.unwrap();

    let inner = Prefix::new(format!("{prefix}in/")).unwrap();
    let mut watch = store.watch(&inner, second).await.unwrap();
    let changes = next(&mut watch).await;
    assert_eq!(changes.revision, second);
    assert!(matches!(&changes.changes[..], [Change::Put(entry)] if entry.key == b && entry.value == b"2"));
    let changes = next(&mut watch).await;
    assert_eq!(changes.revision, third);
    match &changes.changes[..] {
        [Change::Deleted(deleted), Change::Put(entry)] => {
            assert_eq!((deleted, &entry.key, entry.value.as_slice()), (&a, &b, &b"3"[..]));
            assert_eq!((entry.created, entry.modified), (second, third));
        }
        other => panic!("{other:?}"),
    }
    // And what comes only now, with the first revision for a second watch.
    let fourth = put(&store, &a, "4").await;
    assert_eq!(next(&mut watch).await.revision, fourth);
    let mut whole = store.watch(&inner, first).await.unwrap();
    for expected in [first, second, third, fourth] {
        assert_eq!(next(&mut whole).await.revision, expected);
    }
}

pub async fn a_cancelled_wait_loses_nothing(store: Arc<dyn Store>, prefix: Prefix) {
    let key = prefix.key("a").unwrap();
    let from = store.list(&prefix).await.unwrap().revision.next();
    let mut watch = store.watch(&prefix, from).await.unwrap();
    let mut expected = Vec::new();
    let mut seen = Vec::new();
    for number in 0..50 {
        expected.push(put(&store, &key, number.to_string()).await);
        // Now and then nothing is ready yet; giving up must not swallow what comes.
        if let Ok(changes) = tokio::time::timeout(Duration::from_micros(200), watch.next()).await {
            seen.push(changes.unwrap().revision);
        }
    }
    while seen.len() < expected.len() {
        seen.push(next(&mut watch).await.revision);
    }
    assert_eq!(seen, expected);
}

pub async fn watches_are_continuous_under_writes(store: Arc<dyn Store>, prefix: Prefix) {
    const WRITERS: usize = 4;
    const WRITES: usize = 100;
    let from = store.list(&prefix).await.unwrap().revision.next();
    let mut early = store.watch(&prefix, from).await.unwrap();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (store, prefix) = (Arc::clone(&store), prefix.clone());
        writers.push(tokio::spawn(async move {
            let mut revisions = Vec::new();
            for write in 0..WRITES {
                revisions
                    .push(put(&store, &prefix.key(format!("{writer}/{}", write % 7)).unwrap(), "x").await);
            }
            revisions
        }));
    }
    // One that begins in the middle of it all, where the first one is.
    let mut seen = Vec::new();
    for _ in 0..WRITERS * WRITES / 2 {
        seen.push(next(&mut early).await.revision);
    }
    let mut late = store.watch(&prefix, seen.last().unwrap().next()).await.unwrap();
    let mut later = Vec::new();
    while seen.len() < WRITERS * WRITES {
        seen.push(next(&mut early).await.revision);
        later.push(next(&mut late).await.revision);
    }
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    written.sort();
    assert_eq!(seen, written);
    assert_eq!(later, written[WRITERS * WRITES / 2..]);
}

pub async fn a_compacted_watch_says_so_and_lists_again(store: Arc<dyn Store>, prefix: Prefix) {
    let key = prefix.key("a").unwrap();
    let first = put(&store, &key, "1").await;
    let mut follower = Follower::new(Arc::clone(&store), prefix.clone());
    assert!(
        matches!(follower.next().await.unwrap(), Followed::Listing(listing) if listing.entries.len() == 1)
    );
    let second = put(&store, &key, "2").await;
    match follower.next().await.unwrap() {
        Followed::Changes(changes) => assert_eq!(changes.revision, second),
        Followed::Listing(listing) => panic!("{listing:?}"),
    }

    let third = put(&store, &key, "3").await;
    // Others write to this engine too: what they had compacted is no failure.
    store.compact(second).await.unwrap();
    store.compact(first).await.unwrap();
    let mut watch = store.watch(&prefix, first).await.unwrap();
    let error = watch.next().await.unwrap_err();
    match &error {
        StoreError::Compacted { asked, compacted } => {
            assert!(*asked == first && *compacted >= second, "{error}")
        }
        other => panic!("{other}"),
    }
    assert!(error.to_string().ends_with("list again"), "{error}");
    assert_eq!(store.get(&key).await.unwrap().unwrap().modified, third, "entries stay");
    let mut watch = store.watch(&prefix, third).await.unwrap();
    assert_eq!(next(&mut watch).await.revision, third, "what is not compacted is still told");

    // One that fell behind by a compaction lists again by itself, then goes on.
    let mut behind = Follower::new(Arc::clone(&store), prefix.clone());
    assert!(matches!(behind.next().await.unwrap(), Followed::Listing(_)));
    let fourth = put(&store, &key, "4").await;
    store.compact(fourth).await.unwrap();
    match behind.next().await.unwrap() {
        Followed::Listing(listing) => assert!(listing.revision >= fourth),
        Followed::Changes(changes) => panic!("{changes:?}"),
    }
    let fifth = put(&store, &key, "5").await;
    match behind.next().await.unwrap() {
        Followed::Changes(changes) => assert_eq!(changes.revision, fifth),
        Followed::Listing(listing) => panic!("{listing:?}"),
    }
}
