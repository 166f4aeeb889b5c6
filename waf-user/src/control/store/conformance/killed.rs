//! A process that writes and is killed with signal 9 at random points: what it had been told is in the store afterwards,
//! and no transaction is there by half. The process is this test program once more, with the store's place in its
//! environment.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const VARIABLE: &str = "WAF_STORE_TO_WRITE";
const TEST: &str = "control::store::conformance::killed::writer_to_be_killed";
const TRANSACTION: &str = "acknowledged transaction ";
const GENERATION: &str = "acknowledged generation ";
/// Keys of one transaction, all with the same value.
const KEYS: usize = 3;
/// Transactions between two generations, and parts of a generation: two transactions of parts and its head.
const GENERATION_EVERY: u64 = 8;
const PARTS: usize = 200;
/// Latest kill after the first acknowledgement: some dozens of transactions.
const KILL_WITHIN_US: u64 = 60_000;

fn prefix() -> Prefix {
    Prefix::new("killed/").unwrap()
}

fn series(store: &Arc<dyn Store>) -> Series {
    Series::new(Arc::clone(store), Prefix::new("killed-series/").unwrap())
}

/// The other process: writes 1, 2, 3, … and says after each which was acknowledged.
#[test]
fn writer_to_be_killed() {
    let Ok(place) = std::env::var(VARIABLE) else { return };
    runtime().block_on(async {
        let store = open(&place).await;
        let series = series(&store);
        let mut head = series.head().await.unwrap();
        let entries = store.list(&prefix()).await.unwrap().entries;
        let mut number = entries.first().map_or(0, value_of);
        loop {
            number += 1;
            let put = |key| Operation::put(&prefix().key(key).unwrap(), number.to_string());
            let transaction = Transaction::new(Vec::new(), (0..KEYS).map(put).collect()).unwrap();
            store.commit(transaction).await.unwrap();
            say(TRANSACTION, number);
            if number.is_multiple_of(GENERATION_EVERY) {
                let part = |part| (format!("{part}"), number.to_string().into_bytes());
                head = Some(series.replace(head.as_ref(), (0..PARTS).map(part).collect()).await.unwrap());
                say(GENERATION, number);
            }
        }
    });
}

/// Ends this process where nobody reads any more.
fn say(what: &str, number: u64) {
    let mut out = std::io::stdout();
    if writeln!(out, "{what}{number}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

async fn open(place: &str) -> Arc<dyn Store> {
    match place.split_once(':').unwrap() {
        ("sqlite", folder) => Arc::new(SqliteStore::open(std::path::Path::new(folder)).unwrap()),
        #[cfg(feature = "etcd")]
        ("etcd", endpoints) => etcd::connect(endpoints.split(',')).await,
        (engine, _) => panic!("no engine {engine}"),
    }
}

fn value_of(entry: &Entry) -> u64 {
    number_of(&entry.value)
}

fn number_of(value: &[u8]) -> u64 {
    str::from_utf8(value).unwrap().parse().unwrap()
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
    let (mut last, mut generation) = (0, 0);
    for round in 0..rounds {
        // xorshift: any spread over the steps of a transaction will do.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let told = kill_one(place, Duration::from_micros(random % KILL_WITHIN_US));
        assert!(told.transaction > last, "round {round}: {told:?} after {last}");

        let store = open().unwrap();
        let listing = runtime().block_on(store.list(&prefix())).unwrap();
        let values: Vec<u64> = listing.entries.iter().map(value_of).collect();
        assert_eq!(values.len(), KEYS, "round {round}");
        assert!(
            values.iter().all(|value| *value == values[0]),
            "round {round}: half a transaction: {values:?}"
        );
        // One more may have been done whose acknowledgement did not come out.
        let may_be = [told.transaction, told.transaction + 1];
        assert!(may_be.contains(&values[0]), "round {round}: {told:?}, {} there", values[0]);
        last = values[0];

        let Some((_, parts)) = runtime().block_on(series(&store).read()).unwrap() else {
            assert_eq!(told.generation, 0, "round {round}");
            continue;
        };
        let marks: Vec<u64> = parts.iter().map(|(_, value)| number_of(value)).collect();
        assert_eq!(marks.len(), PARTS, "round {round}");
        assert!(marks.iter().all(|mark| *mark == marks[0]), "round {round}: half a generation");
        assert!(marks[0] >= told.generation.max(generation), "round {round}: {told:?}, {} there", marks[0]);
        generation = marks[0];
    }
    println!("{place}: {rounds} writers killed, {last} transactions, generation {generation}, none lost");
}

/// The last numbers that a killed writer was told; 0 where none.
#[derive(Debug, Default)]
struct Told {
    transaction: u64,
    generation: u64,
}

fn kill_one(place: &str, after_first: Duration) -> Told {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, place)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Told::default();
    // libtest may say the test's name on the same line first.
    let number = |line: &str, what| line.split_once(what).map(|(_, number)| number.parse::<u64>().unwrap());
    let mut killing = None;
    for line in lines.map_while(Result::ok) {
        told.transaction = number(&line, TRANSACTION).unwrap_or(told.transaction);
        told.generation = number(&line, GENERATION).unwrap_or(told.generation);
        if told.transaction > 0 && killing.is_none() {
            let id = nix::unistd::Pid::from_raw(child.id().cast_signed());
            killing = Some(std::thread::spawn(move || {
                std::thread::sleep(after_first);
                nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL).unwrap();
            }));
        }
    }
    killing.expect("the writer began").join().unwrap();
    child.wait().unwrap();
    told
}
