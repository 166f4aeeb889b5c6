//! A process that writes and is killed with signal 9 at random points: what it had been told is in the store afterwards,
//! and no transaction is there by half. The process is this test program once more, with the store's place in its
//! environment.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const VARIABLE: &str = "WAF_STORE_TO_WRITE";
const TEST: &str = "control::store::conformance::killed::writer_to_be_killed";
const ACKNOWLEDGED: &str = "acknowledged ";
/// Keys of one transaction, all with the same value.
const KEYS: usize = 3;
/// Latest kill after the first acknowledgement: some dozens of transactions.
const KILL_WITHIN_US: u64 = 60_000;

fn prefix() -> Prefix {
    Prefix::new("killed/").unwrap()
}

/// The other process: writes 1, 2, 3, … and says after each which was acknowledged.
#[test]
fn writer_to_be_killed() {
    let Ok(place) = std::env::var(VARIABLE) else { return };
    runtime().block_on(async {
        let store = open(&place).await;
        let entries = store.list(&prefix()).await.unwrap().entries;
        let mut number = entries.first().map_or(0, value_of);
        loop {
            number += 1;
            let put = |key| Operation::put(&prefix().key(key).unwrap(), number.to_string());
            let transaction = Transaction::new(Vec::new(), (0..KEYS).map(put).collect()).unwrap();
            store.commit(transaction).await.unwrap();
            let mut out = std::io::stdout();
            // Whoever reads has gone: so do we.
            if writeln!(out, "{ACKNOWLEDGED}{number}").and_then(|()| out.flush()).is_err() {
                return;
            }
        }
    });
}

async fn open(place: &str) -> Arc<dyn Store> {
    match place.split_once(':').unwrap() {
        ("sqlite", folder) => Arc::new(SqliteStore::open(std::path::Path::new(folder)).unwrap()),
        (engine, _) => panic!("no engine {engine}"),
    }
}

fn value_of(entry: &Entry) -> u64 {
    str::from_utf8(&entry.value).unwrap().parse().unwrap()
}

/// Kills `rounds` writers and looks at the store after each.
pub fn writers_lose_nothing(
    place: &str,
    rounds: usize,
    open: impl Fn() -> Result<Arc<dyn Store>, StoreError>,
) {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("{place}: seed {seed}");
    let mut random = seed | 1;
    let mut last = 0;
    for round in 0..rounds {
        // xorshift: any spread over the steps of a transaction will do.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let acknowledged = kill_one(place, Duration::from_micros(random % KILL_WITHIN_US));
        assert!(acknowledged > last, "round {round}: {acknowledged} after {last}");

        let store = open().unwrap();
        let listing = runtime().block_on(store.list(&prefix())).unwrap();
        let values: Vec<u64> = listing.entries.iter().map(value_of).collect();
        assert_eq!(values.len(), KEYS, "round {round}");
        assert!(
            values.iter().all(|value| *value == values[0]),
            "round {round}: half a transaction: {values:?}"
        );
        // One more may have been done whose acknowledgement did not come out.
        assert!(
            values[0] == acknowledged || values[0] == acknowledged + 1,
            "round {round}: {acknowledged} acknowledged, {} there",
            values[0]
        );
        last = values[0];
    }
    println!("{place}: {rounds} writers killed, {last} transactions, none lost");
}

/// The last number that a killed writer was told.
fn kill_one(place: &str, after_first: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, place)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = None;
    // libtest may say the test's name on the same line first.
    let number = |line: &str| line.split_once(ACKNOWLEDGED).map(|(_, number)| number.parse::<u64>().unwrap());
    let mut killing = None;
    while let Some(Ok(line)) = lines.next() {
        last = number(&line).or(last);
        if last.is_some() && killing.is_none() {
            let id = nix::unistd::Pid::from_raw(child.id().cast_signed());
            killing = Some(std::thread::spawn(move || {
                std::thread::sleep(after_first);
                nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL).unwrap();
            }));
        }
    }
    killing.expect("the writer began").join().unwrap();
    child.wait().unwrap();
    last.unwrap()
}
