//! Entries, guards, listings and bounds.

use super::*;
use crate::control::store::limits::{OPERATIONS_MAX, TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX};

pub async fn put_get_delete(store: Arc<dyn Store>, prefix: Prefix) {
    let key = prefix.key("a").unwrap();
    assert_eq!(store.get(&key).await.unwrap(), None);

    let first = put(&store, &key, "one").await;
    let entry = store.get(&key).await.unwrap().unwrap();
    assert_eq!((entry.value.as_slice(), entry.created, entry.modified), (&b"one"[..], first, first));

    let second = put(&store, &key, Vec::new()).await;
    assert!(second > first);
    let entry = store.get(&key).await.unwrap().unwrap();
    assert_eq!((entry.value.len(), entry.created, entry.modified), (0, first, second));

    let third = delete(&store, &key).await;
    assert!(third > second);
    assert_eq!(store.get(&key).await.unwrap(), None);
    delete(&store, &key).await;

    let fourth = put(&store, &key, "again").await;
    let entry = store.get(&key).await.unwrap().unwrap();
    assert_eq!((entry.created, entry.modified, entry.lease), (fourth, fourth, None));
}

pub async fn guards_compare(store: Arc<dyn Store>, prefix: Prefix) {
    let (here, gone) = (prefix.key("here").unwrap(), prefix.key("gone").unwrap());
    let first = put(&store, &here, "1").await;
    let second = put(&store, &here, "2").await;
    let rows = [
        ("absent, and it is", Guard::Absent(gone.clone()), None),
        (
            "absent, but it is not",
            Guard::Absent(here.clone()),
            Some((Found::Absent, Found::ModifiedAt(second))),
        ),
        (
            "as it was put first, but it was put again",
            Guard::ModifiedAt(here.clone(), first),
            Some((Found::ModifiedAt(first), Found::ModifiedAt(second))),
        ),
        (
            "as it was put, but it is absent",
            Guard::ModifiedAt(gone.clone(), first),
            Some((Found::ModifiedAt(first), Found::Absent)),
        ),
    ];
    for (name, guard, expected) in rows {
        let target = prefix.key("target").unwrap();
        let guarded = guard.key().clone();
        let held = Guard::ModifiedAt(here.clone(), second);
        let transaction = Transaction::new(vec![held, guard], vec![Operation::put(&target, name)]).unwrap();
        match (store.commit(transaction).await, expected) {
            (Ok(_), None) => {}
            (Err(error), Some((expected, found))) => {
                let text = error.to_string();
                assert!(error.is_conflict(), "{name}: {text}");
                assert_eq!(
                    text,
                    format!(
                        "{guarded} was {found}, not {expected}, when this change came: read it again, then decide again"
                    ),
                    "{name}"
                );
            }
            (result, expected) => panic!("{name}: {result:?}, expected {expected:?}"),
        }
    }
}

pub async fn a_refused_transaction_changes_nothing(store: Arc<dyn Store>, prefix: Prefix) {
    let (a, b) = (prefix.key("a").unwrap(), prefix.key("b").unwrap());
    put(&store, &a, "old").await;
    let before = store.list(&prefix).await.unwrap();
    let guards = vec![Guard::Absent(b.clone()), Guard::Absent(a.clone())];
    let operations = vec![Operation::put(&b, "new"), Operation::Delete(a.clone())];
    let refused = store.commit(Transaction::new(guards, operations).unwrap()).await;
    assert!(refused.unwrap_err().is_conflict());
    assert_eq!(store.list(&prefix).await.unwrap().entries, before.entries);

    // A lease that there never was: the put before it is undone too.
    let lease = LeaseId(0x7fff_ffff);
    let operations = vec![
        Operation::put(&b, "new"),
        Operation::Put { key: a.clone(), value: b"new".to_vec(), lease: Some(lease) },
    ];
    let refused = store.commit(Transaction::new(Vec::new(), operations).unwrap()).await.unwrap_err();
    assert!(matches!(refused, StoreError::LeaseGone(_)), "{refused}");
    assert_eq!(store.list(&prefix).await.unwrap().entries, before.entries);
}

pub async fn one_revision_for_all_of_a_transaction(store: Arc<dyn Store>, prefix: Prefix) {
    let keys: Vec<Key> = ["a", "b", "c"].iter().map(|name| prefix.key(name).unwrap()).collect();
    let operations = keys.iter().map(|key| Operation::put(key, "x")).collect();
    let revision = store.commit(Transaction::new(Vec::new(), operations).unwrap()).await.unwrap();
    let listing = store.list(&prefix).await.unwrap();
    assert!(listing.revision >= revision);
    assert_eq!(
        listing.entries.iter().map(|entry| &entry.key).collect::<Vec<_>>(),
        keys.iter().collect::<Vec<_>>()
    );
    assert!(listing.entries.iter().all(|entry| entry.modified == revision && entry.created == revision));

    let mut last = revision;
    for _ in 0..10 {
        let revision = put(&store, &keys[0], "y").await;
        assert!(revision > last, "{revision} after {last}");
        last = revision;
    }
}

pub async fn listings_keep_to_their_prefix(store: Arc<dyn Store>, prefix: Prefix) {
    for name in ["in/b", "in/a", "in/~", "in", "in0", "im/z", "In/a"] {
        put(&store, &prefix.key(name).unwrap(), name).await;
    }
    let inner = Prefix::new(format!("{prefix}in/")).unwrap();
    let listing = store.list(&inner).await.unwrap();
    let names: Vec<&str> = listing.entries.iter().filter_map(|entry| inner.rest(&entry.key)).collect();
    assert_eq!(names, ["a", "b", "~"]);
    assert!(listing.entries.iter().all(|entry| entry.modified <= listing.revision));
    let nothing = store.list(&Prefix::new(format!("{prefix}none/")).unwrap()).await.unwrap();
    assert!(nothing.entries.is_empty() && nothing.revision >= listing.revision);
}

pub async fn largest_transactions_fit(store: Arc<dyn Store>, prefix: Prefix) {
    let keys: Vec<Key> =
        (0..OPERATIONS_MAX).map(|number| prefix.key(format!("{number:03}")).unwrap()).collect();
    let guards: Vec<Guard> = keys.iter().cloned().map(Guard::Absent).collect();
    let operations: Vec<Operation> = keys.iter().map(|key| Operation::put(key, "x")).collect();
    store.commit(Transaction::new(guards.clone(), operations.clone()).unwrap()).await.unwrap();
    // Refused, with all 128 to be told.
    assert!(store.commit(Transaction::new(guards, operations).unwrap()).await.unwrap_err().is_conflict());

    let largest = vec![b'x'; VALUE_BYTES_MAX];
    put(&store, &keys[0], largest.clone()).await;
    assert!(store.get(&keys[0]).await.unwrap().unwrap().value == largest);

    let rest = TRANSACTION_BYTES_MAX - VALUE_BYTES_MAX - keys[0].as_str().len() - keys[1].as_str().len();
    let operations = vec![Operation::put(&keys[0], largest), Operation::put(&keys[1], vec![b'y'; rest])];
    store.commit(Transaction::new(Vec::new(), operations).unwrap()).await.unwrap();

    // More in sum than one message of gRPC carries unless it is told to.
    for key in keys.iter().take(6) {
        put(&store, key, vec![b'z'; VALUE_BYTES_MAX]).await;
    }
    let listing = store.list(&prefix).await.unwrap();
    assert_eq!(listing.entries.len(), OPERATIONS_MAX);
    assert!(listing.entries.iter().take(6).all(|entry| entry.value.len() == VALUE_BYTES_MAX));
}
