//! What is of SQLite alone: its files, its locks, its history, its full disk.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use super::*;
use crate::control::store::limits::{HISTORY_REVISIONS_MAX, LEASE_TTL_MIN};
use crate::control::store::{Guard, Operation};

static NEXT: AtomicU32 = AtomicU32::new(0);

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("waf-sqlite-{}-{number}", std::process::id())))
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

async fn put(store: &SqliteStore, name: &str, value: &str) -> Revision {
    let put = Operation::put(&key(name), value);
    store.commit(Transaction::new(Vec::new(), vec![put]).unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_was_written_is_there_when_opened_again() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    let first = put(&store, "a", "1").await;
    let second = put(&store, "b", "2").await;
    drop(store);
    let store = SqliteStore::open(&folder.0).unwrap();
    let listing = store.list(&Prefix::default()).await.unwrap();
    assert_eq!(listing.revision, second);
    assert_eq!(listing.entries.iter().map(|entry| entry.modified).collect::<Vec<_>>(), [first, second]);
    assert_eq!(put(&store, "a", "3").await, second.next());
    let mut watch = store.watch(&Prefix::default(), first).await.unwrap();
    for expected in [first, second, second.next()] {
        assert_eq!(watch.next().await.unwrap().revision, expected);
    }
    drop(store);
    assert!(matches!(watch.next().await, Err(StoreError::Closed)));
}

#[test]
fn files_are_for_their_user_alone() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.file(), b"").unwrap();
    std::fs::set_permissions(folder.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = SqliteStore::open(&folder.0).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder.0).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{names:?}");
    }
    names.sort();
    assert_eq!(names, ["store.lock", "store.sqlite", "store.sqlite-shm", "store.sqlite-wal"]);
    drop(store);
}

#[test]
fn a_second_process_is_refused() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    let refused = SqliteStore::open(&folder.0).err().unwrap();
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
    drop(store);
    SqliteStore::open(&folder.0).unwrap();
}

#[test]
fn files_of_others_and_of_newer_schemas_are_refused() {
    let folder = Folder::new();
    drop(SqliteStore::open(&folder.0).unwrap());
    Connection::open(folder.file()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = SqliteStore::open(&folder.0).err().unwrap().to_string();
    assert!(
        refused.ends_with("is of schema 99, this waf knows up to 1: use the newer waf that wrote it"),
        "{refused}"
    );

    let foreign = Folder::new();
    std::fs::create_dir_all(&foreign.0).unwrap();
    Connection::open(foreign.file()).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let refused = SqliteStore::open(&foreign.0).err().unwrap();
    assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");

    let text = Folder::new();
    std::fs::create_dir_all(&text.0).unwrap();
    std::fs::write(text.file(), "this is no database, but long enough to be taken for one".repeat(50))
        .unwrap();
    let refused = SqliteStore::open(&text.0).err().unwrap();
    assert!(matches!(refused, StoreError::Sqlite { .. }), "{refused}");
}

#[tokio::test]
async fn a_lock_of_another_program_is_waited_for() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writing = put(&store, "a", "1");
    tokio::pin!(writing);
    let waited = tokio::time::timeout(Duration::from_millis(50), &mut writing).await;
    assert!(waited.is_err(), "written while another program had it locked");
    // Reading goes on meanwhile.
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
    other.execute_batch("COMMIT").unwrap();
    writing.await;
    assert!(store.get(&key("a")).await.unwrap().is_some());
}

#[tokio::test]
async fn leases_begin_anew_when_opened_again() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    let lease = store.grant(LEASE_TTL_MIN).await.unwrap();
    let put = Operation::Put { key: key("a"), value: Vec::new(), lease: Some(lease) };
    let last = store.commit(Transaction::new(Vec::new(), vec![put]).unwrap()).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&folder.0).unwrap();
    store.keep_alive(lease).await.unwrap();
    let mut watch = store.watch(&Prefix::default(), last.next()).await.unwrap();
    let changes = watch.next().await.unwrap();
    assert_eq!((changes.revision, changes.changes.len()), (last.next(), 1));
    assert!(matches!(store.keep_alive(lease).await, Err(StoreError::LeaseGone(_))));
    // Numbers are not used again: a holder of the old one must not hold the new.
    assert!(store.grant(LEASE_TTL_MIN).await.unwrap() > lease);
}

#[tokio::test]
async fn history_is_bounded_and_entries_are_not_touched() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    let first = put(&store, "first", "1").await;
    // As if there had been that many: the writer looks at the head.
    let sql = "UPDATE head SET revision = revision + ?1";
    let more = i64::try_from(HISTORY_REVISIONS_MAX).unwrap();
    Connection::open(folder.file()).unwrap().execute(sql, [more]).unwrap();
    let last = put(&store, "last", "1").await;
    let mut watch = store.watch(&Prefix::default(), first).await.unwrap();
    let error = watch.next().await.unwrap_err();
    let StoreError::Compacted { compacted, .. } = error else { panic!("{error}") };
    assert_eq!(compacted.0, (HISTORY_REVISIONS_MAX + 2) / 4);
    let mut watch = store.watch(&Prefix::default(), compacted.next()).await.unwrap();
    assert_eq!(watch.next().await.unwrap().revision, last);
    assert!(store.get(&key("first")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_disk_changes_nothing_and_says_so() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    put(&store, "a", "1").await;
    drop(store);
    // SQLite's own way to have a small disk; kept per connection, so the writer's thread is told through a hook of the test.
    let place = Place::prepare(&folder.0).unwrap();
    let connection = place.0.connect().unwrap();
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let opened = writer::Writer::new(Arc::new(place.0), connection, place.1).unwrap();
    let (sender, jobs) = mpsc::channel(WRITERS_QUEUE_LEN_MAX);
    let mut answers = Vec::new();
    for (name, bytes) in [("small", 1), ("large", 100_000), ("small too", 1)] {
        let key = key(&name.replace(' ', "-"));
        let put = Operation::put(&key, vec![b'x'; bytes]);
        let transaction = Transaction::new(vec![Guard::Absent(key)], vec![put]).unwrap();
        let (reply, answer) = oneshot::channel();
        sender.send(Job(Work::Commit { transaction, reply })).await.unwrap();
        answers.push(answer);
    }
    let thread = std::thread::spawn(move || opened.run(jobs));
    let mut results = Vec::new();
    for answer in answers {
        results.push(answer.await.unwrap());
    }
    drop(sender);
    thread.join().unwrap();
    assert!(results[1].is_err());
    let store = SqliteStore::open(&folder.0).unwrap();
    for (name, result) in ["small", "large", "small-too"].iter().zip(&results) {
        let is_there = store.get(&key(name)).await.unwrap().is_some();
        assert_eq!(result.is_ok(), is_there, "{name}: {result:?}");
    }
}
