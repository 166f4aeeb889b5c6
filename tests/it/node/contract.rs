//! Gross excess under real load: three tenants on a node that has not enough for all. Who asks for less than its contract
//! gets all of it; those who flood share the rest, within 10 % of their shares; and when they stop, nobody is limited.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use waf_tests::load::{Answer, Connection};
use waf_user::node::control::Request;
use waf_user::node::control_sock;

use super::plain::{Folder, Process, generation_is, origin};

const CAPACITY_S: u64 = 200;
const CONTRACT_S: u64 = 50;
/// What each tenant's visitors ask for a second.
const ASKED_S: [u64; 3] = [30, 300, 150];
/// The first gets what it asks for; of the 120 left beyond it and both contracts' 100, each of the others has its half.
const SHARES_S: [u64; 3] = [30, 85, 85];
const VISITORS_OF_A_TENANT: u64 = 3;
/// Demand is a mean that forgets by halves: after this it is what it is.
const SETTLES: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(8);
const SOON: Duration = Duration::from_secs(20);

/// Visitors of one tenant at an even rate, and what they were answered.
struct Visitors {
    stop: Arc<AtomicBool>,
    counts: Arc<Counts>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Counts {
    passed: AtomicU64,
    limited: AtomicU64,
    others: AtomicU64,
}

impl Visitors {
    fn start(host: &str, service: SocketAddr, rate: u64) -> Self {
        let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
        let gap = Duration::from_secs(VISITORS_OF_A_TENANT) / u32::try_from(rate).expect("a small rate");
        let visitor = |_| {
            let (stop, counts, host) = (Arc::clone(&stop), Arc::clone(&counts), host.to_owned());
            thread::spawn(move || visit(&stop, &counts, (&host, service), gap))
        };
        let threads = (0..VISITORS_OF_A_TENANT).map(visitor).collect();
        Self { stop, counts, threads }
    }

    fn seen(&self) -> [u64; 3] {
        let Counts { passed, limited, others } = &*self.counts;
        [passed.load(Relaxed), limited.load(Relaxed), others.load(Relaxed)]
    }

    fn stop(self) {
        self.stop.store(true, Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("a visitor ends well"));
    }
}

/// One request each `gap`, whatever the answers; late ones are made up for.
fn visit(stop: &AtomicBool, counts: &Counts, (host, service): (&str, SocketAddr), gap: Duration) {
    let mut kept: Option<Connection> = None;
    let mut due = Instant::now();
    while !stop.load(Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += gap;
        let asked = match kept.take() {
            Some(connection) => Ok(connection),
            None => Connection::open(service),
        };
        let answered = asked.and_then(|mut it| Ok((it.ask(host, "/")?, it)));
        let count = match answered {
            Ok((Answer { status, closes }, connection)) => {
                kept = (!closes).then_some(connection);
                match status {
                    200 => &counts.passed,
                    429 => &counts.limited,
                    _ => &counts.others,
                }
            }
            Err(_) => &counts.others,
        };
        count.fetch_add(1, Relaxed);
    }
}

fn host(number: usize) -> String {
    format!("t{number}.example.test")
}

fn configure(folder: &Folder, services: &[SocketAddr], origin: SocketAddr) -> PathBuf {
    let mut text = format!(
        "[node]\nname = \"full\"\ncarrier = \"carrier-a\"\nworkers = 2\nstate_dir = \"state\"\n\
         origin_networks = [\"127.0.0.0/8\"]\ncapacity = {{ requests_s = {CAPACITY_S} }}\n\
         [log]\nevents = \"events.jsonl\"\n"
    );
    for (number, service) in (1..).zip(services) {
        text += &format!(
            "[[tenant]]\nid = {number}\nfqdn = \"{}\"\naddresses = [\"{}\"]\nhttp_port = {}\nrules = []\n\
             origins = [\"http://{origin}\"]\ncontract = {{ requests_s = {CONTRACT_S} }}\n",
            host(number),
            service.ip(),
            service.port(),
        );
    }
    let path = folder.0.join("node.toml");
    fs::write(&path, text).expect("node.toml");
    path
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {} s", SOON.as_secs());
        thread::sleep(Duration::from_millis(20));
    }
}

/// What was answered in the time that is measured.
fn measure(visitors: &[Visitors]) -> Vec<[u64; 3]> {
    let before: Vec<_> = visitors.iter().map(Visitors::seen).collect();
    thread::sleep(MEASURED);
    let after = visitors.iter().map(Visitors::seen);
    after.zip(before).map(|(after, before)| std::array::from_fn(|at| after[at] - before[at])).collect()
}

fn events(state: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(state.join("events.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn contract_gross_excess_is_held_to_fair_shares() {
    let Some(waf) = std::env::var_os("WAF_BIN").map(PathBuf::from) else {
        println!("skipped: no WAF_BIN");
        return;
    };
    let folder = Folder::new("contract");
    // Ports that were free a moment ago; nobody else binds 127.89.0.1.
    let free = || TcpListener::bind("127.89.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let services = [free(), free(), free()];
    let config = configure(&folder, &services, origin());
    let mut process = Process::start(&waf, &config, &[]);
    generation_is(&folder, 1);

    let start = |number: usize| Visitors::start(&host(number + 1), services[number], ASKED_S[number]);
    let quiet = start(0);
    until("visitors are answered", || quiet.seen()[0] >= 2 * ASKED_S[0]);
    assert_eq!(quiet.seen()[1..], [0, 0], "there is enough for one");

    let visitors = [quiet, start(1), start(2)];
    until("those who flood are limited", || visitors[1..].iter().all(|it| it.seen()[1] > 0));
    thread::sleep(SETTLES);
    let measured = measure(&visitors);
    for (number, ([passed, limited, others], share)) in measured.iter().zip(SHARES_S).enumerate() {
        let expected = share * MEASURED.as_secs();
        println!("tenant {}: {passed} passed of {expected} due, {limited} limited", number + 1);
        assert_eq!(*others, 0, "tenant {}", number + 1);
        assert!(passed.abs_diff(expected) * 10 <= expected, "{passed} is not within 10 % of {expected}");
        assert_eq!(*limited == 0, number == 0, "who stays within its contract is never limited");
    }

    let [quiet, flood, other] = visitors;
    [flood, other].into_iter().for_each(Visitors::stop);
    let mild = Visitors::start(&host(2), services[1], CAPACITY_S / 2);
    let mut limited = mild.seen()[1];
    let mut since = Instant::now();
    until("nobody is limited any more", || {
        let now = mild.seen()[1];
        if now != limited {
            (limited, since) = (now, Instant::now());
        }
        since.elapsed() >= SETTLES
    });
    [quiet, mild].into_iter().for_each(Visitors::stop);

    let state = folder.0.join("state");
    control_sock::ask(&state, &Request::Drain {}).expect("a reply");
    assert!(process.wait().success());
    let told = events(&state);
    assert!(!told.is_empty(), "events tell of it");
    assert!(told.iter().all(|it| it["reason"] == "over_contract" && it["status"] == 429), "{:?}", told[0]);
    assert!(told.iter().all(|it| it["tenant"] != 1));
}
