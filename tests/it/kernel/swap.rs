//! `waf kernel swap`: other programs on the same maps, while traffic runs; back again; and what it refuses.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aya::EbpfLoader;
use aya::programs::Xdp;
use waf_common::block::{Reason, SCOPE_NODE};
use waf_common::names::{MAP_BLOCK4, MAP_SERVICES, PROGRAM_PARSE, PROGRAM_SK_LOOKUP, PROGRAM_XDP};
use waf_common::outcome::Outcome;
use waf_tests::frames::{Frame, SYN};
use waf_tests::wire;
use waf_user::kernel::BlockEntry;

use super::fixture::{Fixture, OWN, environment, inside, ip};
use super::traffic::ping;

const DEADLINE: Duration = Duration::from_secs(10);
/// The soak makes a thousand: here enough to meet a packet on each side of a replacement.
const SWAPS: usize = 50;
const ECHO_BYTES: usize = 64;
const BANNED: &str = "192.0.2.1";
/// Blocked packets sent at once.
const BURST: usize = 32;

fn ban(source: &str) -> BlockEntry {
    BlockEntry { scope: SCOPE_NODE, prefix: ip(source).into(), reason: Reason::Ban, tenant: 0, expires_s: 0 }
}

/// Program ids that inspect shows.
fn ids(fixture: &Fixture) -> Vec<u64> {
    let json: serde_json::Value =
        serde_json::from_str(&fixture.succeed(&["inspect", "--json"])).expect("JSON");
    let programs = json["programs"].as_array().expect("programs");
    programs.iter().map(|program| program["id"].as_u64().expect("an id")).collect()
}

fn pins(fixture: &Fixture) -> Vec<String> {
    let entries = fs::read_dir(fixture.pins().programs()).expect("pins");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a pin").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_swap_changes_the_programs_and_nothing_else() {
    let Some(fixture) = Fixture::active() else { return };
    fixture.maps().block(ban(BANNED)).expect("ban");
    let banned = Frame::tcp((ip(BANNED), 1), (ip(OWN), 80), SYN).build();
    let first = ids(&fixture);
    assert!(fixture.fail(&["swap", "--rollback"]).contains("no earlier programs"));

    let said = fixture.succeed(&["swap"]);
    assert!(said.contains(PROGRAM_XDP) && said.contains("--rollback"), "{said}");
    let second = ids(&fixture);
    assert!(first.iter().all(|id| !second.contains(id)), "{first:?} {second:?}");
    assert_eq!(fixture.verdict(&banned).0, Outcome::DropNode);
    assert_eq!(pins(&fixture), ["waf_sk_lookup", "waf_sk_lookup_old", "waf_xdp", "waf_xdp_old"]);

    fixture.succeed(&["swap", "--rollback"]);
    assert_eq!(ids(&fixture), first);
    assert_eq!(fixture.verdict(&banned).0, Outcome::DropNode);
    fixture.succeed(&["swap", "--rollback"]);
    assert_eq!(ids(&fixture), second);
    fixture.succeed(&["unload"]);
    assert!(!fixture.pins().node().exists());
}

#[test]
fn a_swap_is_roots_and_wants_something_loaded() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    assert!(fixture.fail(&["swap"]).contains("nothing is loaded"));
    fixture.succeed(&["load"]);
    let output = fixture.waf_as_nobody(&["swap"]);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("needs root"), "{error}");
}

#[test]
fn an_object_that_cannot_be_used_leaves_the_old_programs() {
    let Some(fixture) = Fixture::active() else { return };
    let before = ids(&fixture);
    let garbage = fixture.directory().join("garbage.o");
    fs::write(&garbage, b"no object").expect("garbage");
    let error = fixture.fail(&["swap", "--object", garbage.to_str().expect("text")]);
    assert!(error.contains("garbage.o"), "{error}");
    assert_eq!((ids(&fixture), pins(&fixture).len()), (before, 2));
}

/// A map of the same name with other sizes: made by bpftool over the pin, as a loader of another version would leave it.
#[test]
fn a_map_of_another_shape_is_named_with_its_field() {
    for (name, words, field) in [
        (MAP_SERVICES, "type hash key 20 value 28 entries 40960 flags 128", "value size 28"),
        (MAP_BLOCK4, "type lpm_trie key 12 value 16 entries 1000 flags 129", "max_entries 1000"),
        ("CONFIG", "type hash key 4 value 16 entries 1 flags 128", "type"),
        ("FLOWS", "type lru_hash key 40 value 4 entries 65536 flags 128", "key size 40"),
        ("WORKER_CPUS", "type array key 4 value 4 entries 64", "flags 0"),
    ] {
        let Some(fixture) = Fixture::active() else { return };
        let pin = fixture.pins().map(name);
        fs::remove_file(&pin).expect("take the pin away");
        let made = Command::new("bpftool")
            .args(["map", "create"])
            .arg(&pin)
            .args(words.split(' '))
            .args(["name", name])
            .output()
            .expect("bpftool starts");
        assert!(made.status.success(), "{name}: {}", String::from_utf8_lossy(&made.stderr));
        let error = fixture.fail(&["swap"]);
        let says = error.contains(&format!("map {name} is pinned with {field}")) && error.contains("schema");
        assert!(says, "{name}: {error}");
    }
}

#[test]
fn an_interrupted_swap_is_put_in_order() {
    let Some(fixture) = Fixture::active() else { return };
    fixture.succeed(&["swap"]);
    let current = ids(&fixture);
    // Killed before the links were touched: the new programs are pinned, and go with the next swap.
    for name in [PROGRAM_XDP, PROGRAM_SK_LOOKUP] {
        let program = fixture.pins().program(name);
        fs::rename(
            program.with_file_name(format!("{name}_old")),
            program.with_file_name(format!("{name}_new")),
        )
        .expect("rename");
    }
    assert!(fixture.fail(&["swap", "--rollback"]).contains("no earlier programs"));
    assert_eq!((ids(&fixture), pins(&fixture).len()), (current.clone(), 2));
    // Killed between links and pins: what is behind the links is called new.
    for name in [PROGRAM_XDP, PROGRAM_SK_LOOKUP] {
        let program = fixture.pins().program(name);
        fs::rename(&program, program.with_file_name(format!("{name}_new"))).expect("rename");
        fs::hard_link(program.with_file_name(format!("{name}_new")), &program).ok();
    }
    let restored = fixture.waf(&["swap"]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert!(!ids(&fixture).iter().any(|id| current.contains(id)));
}

/// Attached through netlink, as iproute2 and older tools do: there is no link to look at.
#[test]
fn a_program_attached_through_netlink_is_foreign() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    let Ok((_, object)) = environment() else { return };
    let mut ebpf = EbpfLoader::new().load_file(object).expect("object");
    let stranger: &mut Xdp = ebpf.program_mut(PROGRAM_PARSE).expect("program").try_into().expect("XDP");
    stranger.load().expect("the stranger's program");
    let id = stranger.info().expect("info").id();
    let bpftool = |words: &[&str]| {
        let output = fixture.node.command("bpftool").args(words).output().expect("bpftool starts");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let number = id.to_string();
    bpftool(&["net", "attach", "xdpdrv", "id", &number, "dev", "eth1"]);
    for words in [&["load"][..], &["swap"]] {
        let error = fixture.fail(words);
        let named = error.contains(PROGRAM_PARSE)
            && error.contains(&format!("id {id}"))
            && error.contains("not ours");
        assert!(named || words == ["swap"] && error.contains("nothing is loaded"), "{error}");
    }
    bpftool(&["net", "detach", "xdpdrv", "dev", "eth1"]);
    fixture.succeed(&["load"]);
}

/// Ends the threads also when what they wait for panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Answers every connection with what it says, until the listener is shut.
fn echo(listener: &TcpListener, stop: &AtomicBool) {
    listener.set_nonblocking(true).expect("nonblocking");
    thread::scope(|scope| {
        while !stop.load(Ordering::Relaxed) {
            let Ok((mut stream, _)) = listener.accept() else {
                thread::yield_now();
                continue;
            };
            scope.spawn(move || {
                stream.set_nonblocking(false).expect("blocking");
                let mut bytes = [0; ECHO_BYTES];
                while stream.read_exact(&mut bytes).is_ok() && stream.write_all(&bytes).is_ok() {}
            });
        }
    });
}

/// One connection that never closes, and a new one for each round; counts rounds.
fn talk(fixture: &Fixture, stop: &AtomicBool, rounds: &AtomicU64) -> std::io::Result<()> {
    let target = SocketAddr::new(ip(OWN), 80);
    inside(&fixture.client, || {
        let open = || {
            let stream = TcpStream::connect_timeout(&target, DEADLINE)?;
            stream.set_read_timeout(Some(DEADLINE))?;
            stream.set_nodelay(true)?;
            std::io::Result::Ok(stream)
        };
        let mut lasting = open()?;
        while !stop.load(Ordering::Relaxed) {
            let mut fresh = open()?;
            for stream in [&mut lasting, &mut fresh] {
                stream.write_all(&[7; ECHO_BYTES])?;
                stream.read_exact(&mut [0; ECHO_BYTES])?;
            }
            rounds.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
}

/// Pings as fast as they are answered; counts the answers, and fails on the first that does not come.
fn flood(fixture: &Fixture, stop: &AtomicBool) -> nix::Result<u64> {
    inside(&fixture.client, || {
        let mut answered = 0;
        while !stop.load(Ordering::Relaxed) {
            ping(OWN)?;
            answered += 1;
        }
        Ok(answered)
    })
}

/// SYNs of a banned source, a burst at a time; counts them.
fn attack(fixture: &Fixture, stop: &AtomicBool) -> u64 {
    let to = inside(&fixture.node, || wire::hardware_address("eth1").expect("address of the node"));
    let mut frame = Frame::tcp((ip(BANNED), 40_000), (ip(OWN), 80), SYN);
    frame.mac_destination = to;
    let burst = vec![frame.build(); BURST];
    inside(&fixture.client, || {
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            wire::send("eth0", &burst).expect("burst");
            sent += BURST as u64;
        }
        sent
    })
}

/// Neither a ping, a request of an open connection nor a new connection is lost, and no blocked packet comes through.
#[test]
fn swaps_under_traffic_lose_nothing() {
    let Some(fixture) = Fixture::active() else { return };
    fixture.client.sysctl("net/ipv4/ping_group_range", "0 0").expect("ping sockets for root");
    let listener = inside(&fixture.node, || TcpListener::bind("[::]:0").expect("listener"));
    for worker in 0..2 {
        fixture.maps().set_socket(worker, listener.as_fd()).expect("socket");
    }
    fixture.maps().block(ban(BANNED)).expect("ban");
    // The server stays until the last request is answered.
    let (stop, close, rounds) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
    let (took, answered, sent) = thread::scope(|scope| {
        let (running, open) = (StopOnDrop(&stop), StopOnDrop(&close));
        let server = scope.spawn(|| echo(&listener, &close));
        let client = scope.spawn(|| talk(&fixture, &stop, &rounds));
        let pings = scope.spawn(|| flood(&fixture, &stop));
        let attacker = scope.spawn(|| attack(&fixture, &stop));
        let begin = Instant::now();
        // One that loads, then the quick way to and fro.
        fixture.succeed(&["swap"]);
        for _ in 1..SWAPS {
            fixture.succeed(&["swap", "--rollback"]);
        }
        let took = begin.elapsed();
        drop(running);
        client.join().expect("the client ends").expect("no connection fails");
        drop(open);
        server.join().expect("the server ends");
        let answered = pings.join().expect("the pings end").expect("every ping is answered");
        (took, answered, attacker.join().expect("the attacker ends"))
    });
    let counters = fixture.maps().counters().expect("counters");
    let rounds = rounds.load(Ordering::Relaxed);
    println!("{SWAPS} swaps in {took:?}: {rounds} rounds, {answered} pings, {sent} blocked packets");
    assert!(rounds > SWAPS as u64 && answered > SWAPS as u64, "{rounds} rounds, {answered} pings");
    assert_eq!(counters.of(Outcome::DropNode), sent, "every blocked packet is dropped");
    assert_eq!(counters.of(Outcome::PassInactive), 0);
}
