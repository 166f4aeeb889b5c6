//! Records over several transactions: new, kept, counted together, ended.

use super::{Collections, MemoryCollections, OpenRecord, Record, RecordKey, Scope};
use crate::engine::limits;

fn key(tenant: &str) -> RecordKey {
    RecordKey { tenant: tenant.into(), scope: Scope::Ip, key: b"192.0.2.1".to_vec() }
}

fn value(record: &Record, name: &str) -> Option<String> {
    record.values.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

#[test]
fn a_record_lives_until_its_timeout() {
    let store = MemoryCollections::default();
    let mut open = OpenRecord::open(Some(&store), key("a"), 1000, 60);
    assert_eq!(value(&open.record, "is_new").as_deref(), Some("1"));
    open.set(b"n", b"5".to_vec());
    assert!(open.store(&store, 1000, 60));
    let rows = [(1059, "a", Some("5")), (1060, "a", None), (1059, "b", None)];
    for (now, tenant, expected) in rows {
        let open = OpenRecord::open(Some(&store), key(tenant), now, 60);
        assert_eq!(value(&open.record, "n").as_deref(), expected, "{tenant} at {now}");
    }
}

#[test]
fn a_variable_ends_before_its_record() {
    let store = MemoryCollections::default();
    let mut open = OpenRecord::open(Some(&store), key("a"), 1000, 600);
    open.set(b"n", b"5".to_vec());
    open.set(b"m", b"6".to_vec());
    open.expire_at(b"n", 1010);
    open.store(&store, 1000, 600);
    for (now, n) in [(1009, Some("5")), (1010, None)] {
        let open = OpenRecord::open(Some(&store), key("a"), now, 600);
        assert_eq!(
            (value(&open.record, "n").as_deref(), value(&open.record, "m").as_deref()),
            (n, Some("6"))
        );
    }
}

#[test]
fn counters_of_two_transactions_add_up() {
    let store = MemoryCollections::default();
    let mut first = OpenRecord::open(Some(&store), key("a"), 1000, 600);
    first.set(b"n", b"1".to_vec());
    first.store(&store, 1000, 600);
    let mut left = OpenRecord::open(Some(&store), key("a"), 1001, 600);
    let mut right = OpenRecord::open(Some(&store), key("a"), 1001, 600);
    left.set(b"n", b"3".to_vec());
    right.set(b"n", b"6".to_vec());
    left.store(&store, 1001, 600);
    right.store(&store, 1002, 600);
    let loaded = store.load(&key("a"), 1003).expect("it is kept");
    assert_eq!((value(&loaded, "n").as_deref(), loaded.updates), (Some("8"), 3));
}

#[test]
fn an_untouched_record_is_not_written() {
    let store = MemoryCollections::default();
    assert!(OpenRecord::open(Some(&store), key("a"), 1000, 600).store(&store, 1000, 600));
    assert_eq!(store.load(&key("a"), 1000), None);
}

#[test]
fn a_tenant_has_its_share_of_room() {
    let store = MemoryCollections::default();
    let keep = |tenant: &str, number: usize, now_s: u64| {
        let key = RecordKey { key: number.to_string().into_bytes(), ..key(tenant) };
        let mut open = OpenRecord::open(Some(&store), key, now_s, 60);
        open.set(b"n", b"1".to_vec());
        open.store(&store, now_s, 60)
    };
    let kept = |tenant: &str, now_s| (0..30_000).filter(|number| keep(tenant, *number, now_s)).count();
    // A flood of one tenant fills its own share, not the others'.
    assert_eq!(kept("a", 1000), limits::RECORDS_OF_TENANT);
    assert_eq!(kept("b", 1000), limits::RECORDS_OF_TENANT);
    assert!(keep("a", 0, 1001), "what is there is written on");
    // Records end, and there is room again.
    assert_eq!(kept("a", 1061), limits::RECORDS_OF_TENANT);
}
