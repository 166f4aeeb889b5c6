//! Leases: granted, kept alive, run out, revoked.

use super::*;
use crate::control::store::limits::{LEASE_TTL_MAX, LEASE_TTL_MIN};

async fn put_under(store: &Arc<dyn Store>, key: &Key, lease: LeaseId) -> Result<Revision, StoreError> {
    let put = Operation::Put { key: key.clone(), value: b"held".to_vec(), lease: Some(lease) };
    store.commit(Transaction::new(Vec::new(), vec![put]).unwrap()).await
}

/// Waits for the revision that deletes a key.
async fn deletion(watch: &mut Box<dyn Watch>, key: &Key) -> Changes {
    loop {
        let changes = next(watch).await;
        if changes.changes.contains(&Change::Deleted(key.clone())) {
            return changes;
        }
    }
}

pub async fn keys_go_with_their_lease(store: Arc<dyn Store>, prefix: Prefix) {
    for ttl in [LEASE_TTL_MIN - Duration::from_millis(1), LEASE_TTL_MAX + Duration::from_millis(1)] {
        assert!(matches!(store.grant(ttl).await, Err(StoreError::LeaseTtl(_))), "{ttl:?}");
    }
    let (a, b, kept) = (prefix.key("a").unwrap(), prefix.key("b").unwrap(), prefix.key("kept").unwrap());
    let start = Instant::now();
    let lease = store.grant(LEASE_TTL_MIN).await.unwrap();
    for key in [&a, &b, &kept] {
        put_under(&store, key, lease).await.unwrap();
    }
    assert_eq!(store.get(&a).await.unwrap().unwrap().lease, Some(lease));
    // Put again without the lease it stays.
    let last = put(&store, &kept, "free").await;
    let mut watch = store.watch(&prefix, last.next()).await.unwrap();
    let mut gone = deletion(&mut watch, &a).await.changes;
    if !gone.contains(&Change::Deleted(b.clone())) {
        gone.extend(deletion(&mut watch, &b).await.changes);
    }
    assert!(start.elapsed() >= LEASE_TTL_MIN);
    assert_eq!(gone, [Change::Deleted(a.clone()), Change::Deleted(b)]);
    let entries = store.list(&prefix).await.unwrap().entries;
    assert!(matches!(&entries[..], [entry] if entry.key == kept && entry.lease.is_none()), "{entries:?}");

    for refused in [store.keep_alive(lease).await, put_under(&store, &a, lease).await.map(drop)] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::LeaseGone(gone) if gone == lease), "{error}");
    }
}

pub async fn a_lease_kept_alive_stays(store: Arc<dyn Store>, prefix: Prefix) {
    let (kept, clock) = (prefix.key("kept").unwrap(), prefix.key("clock").unwrap());
    // The longer one is kept alive until the shorter ones have run out one after the other: twice its own time.
    let ttl = LEASE_TTL_MIN * 2;
    let lease = store.grant(ttl).await.unwrap();
    put_under(&store, &kept, lease).await.unwrap();
    let start = Instant::now();
    while start.elapsed() < ttl * 3 / 2 {
        let short = store.grant(LEASE_TTL_MIN).await.unwrap();
        let revision = put_under(&store, &clock, short).await.unwrap();
        store.keep_alive(lease).await.unwrap();
        let mut watch = store.watch(&prefix, revision.next()).await.unwrap();
        deletion(&mut watch, &clock).await;
        store.keep_alive(lease).await.unwrap();
    }
    assert!(store.get(&kept).await.unwrap().is_some());
}

pub async fn a_revoked_lease_is_gone(store: Arc<dyn Store>, prefix: Prefix) {
    let key = prefix.key("a").unwrap();
    let lease = store.grant(LEASE_TTL_MAX).await.unwrap();
    let other = store.grant(LEASE_TTL_MAX).await.unwrap();
    assert_ne!(lease, other);
    let last = put_under(&store, &key, lease).await.unwrap();
    let mut watch = store.watch(&prefix, last.next()).await.unwrap();
    store.revoke(lease).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), None);
    assert_eq!(next(&mut watch).await.changes, [Change::Deleted(key.clone())]);
    for refused in [store.revoke(lease).await, store.keep_alive(lease).await] {
        assert!(matches!(refused, Err(StoreError::LeaseGone(_))), "{refused:?}");
    }
    store.keep_alive(other).await.unwrap();
    store.revoke(other).await.unwrap();
}
