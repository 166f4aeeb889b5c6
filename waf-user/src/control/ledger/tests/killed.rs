//! A control process killed with signal 9 within applies: what it had acknowledged is there, and an apply is there whole
//! or not at all. The process is this test program once more, with the store's folder in its environment.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::control::capacity::Rates;

const VARIABLE: &str = "WAF_LEDGER_TO_WRITE";
const TEST: &str = "control::ledger::tests::killed::control_to_be_killed";
const TOLD: &str = "acknowledged revision ";
const ROUNDS: usize = 200;
/// Latest kill after the first acknowledgement: about two applies.
const KILL_WITHIN_US: u64 = 60_000;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The other process: changes the peak of all sites together, again and again, and says what was acknowledged.
#[test]
fn control_to_be_killed() {
    let Ok(folder) = std::env::var(VARIABLE) else { return };
    runtime().block_on(async {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(std::path::Path::new(&folder)).unwrap());
        let ledger = open(&store).await;
        loop {
            let requests_s = 2 + (ledger.view().revision().0 + 1) % 2;
            let plan = ledger.plan(&wishes(MANY, requests_s), NOW);
            let applied = ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap();
            let mut out = std::io::stdout();
            if writeln!(out, "{TOLD}{}", applied.revision.0).and_then(|()| out.flush()).is_err() {
                std::process::exit(1);
            }
        }
    });
}

/// Starts the process, kills it some time after its first word, and returns the last revision that it told of.
fn kill_one(folder: &Folder, after: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(VARIABLE, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut told = lines.filter_map(|line| line.split_once(TOLD)?.1.trim().parse().ok());
    let first: u64 = told.next().expect("the process tells of its first apply");
    std::thread::sleep(after);
    child.kill().unwrap();
    let last = told.last().unwrap_or(first);
    child.wait().unwrap();
    last
}

#[test]
fn an_apply_is_there_whole_or_not_at_all() {
    let folder = Folder::new("ledger-killed");
    runtime().block_on(async {
        let ledger = with_nodes(&sqlite(&folder)).await;
        let plan = ledger.plan(&wishes(MANY, 2), NOW);
        ledger.apply(&plan, Vec::new(), &operator(), NOW).await.unwrap();
    });
    let mut random = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {random}");
    let mut resumed = 0;
    for round in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let told = kill_one(&folder, Duration::from_micros(random % KILL_WITHIN_US));
        runtime().block_on(async {
            let store = sqlite(&folder);
            let left = store.list(&Prefix::new("ledger/pending/").unwrap()).await.unwrap().entries.len();
            let as_it_lies =
                load::load(store.list(&root().unwrap()).await.unwrap().entries).unwrap().unwrap();
            resumed += usize::from(as_it_lies.counter.pending.is_some());
            let view = open(&store).await.view();
            assert_eq!(as_it_lies.view.state, view.state, "round {round}: seen as it is once carried out");
            let revision = view.revision().0;
            assert!([told, told + 1].contains(&revision), "round {round}: {told} told, {revision} there");
            let requests_s = 2 + revision % 2;
            let whole = Rates { requests_s, mbit_s: 1, handshakes_s: 0 };
            let environments = view.state.environments();
            assert_eq!(environments.len(), MANY, "round {round}");
            assert!(
                environments.values().all(|it| it.sheet.peak == whole),
                "round {round}: half ({left} left)"
            );
            assert_valid(&view);
        });
    }
    println!("{ROUNDS} kills, {resumed} of them within an apply that counted and was resumed");
}
