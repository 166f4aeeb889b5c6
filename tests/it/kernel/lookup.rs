//! sk_lookup by true connections: the chosen worker's socket, for both families, without any address on an interface.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{Shutdown, shutdown};
use waf_common::address::Address;
use waf_common::limits::WORKERS_MAX;
use waf_common::outcome::Outcome;
use waf_common::service::{CONFIG_ACTIVE, SERVICE_REFUSED, ServiceValue};
use waf_common::steer::{WorkerSet, flow_hash};
use waf_user::kernel::LogLevel;

use super::fixture::{Fixture, OWN, OWN6, SHARED, WORKER_SET, connect, inside};

const DEADLINE: Duration = Duration::from_secs(5);
/// Far above a round trip on a loaded machine, far below the second after which a SYN is sent again.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Two dual-stack listeners on ports of the kernel's choice, as the node makes them, in SOCKETS.
fn listeners(fixture: &Fixture) -> [TcpListener; 2] {
    let listener = || TcpListener::bind("[::]:0").expect("listener");
    let listeners = inside(&fixture.node, || [listener(), listener()]);
    let maps = fixture.maps();
    for (worker, listener) in listeners.iter().enumerate() {
        maps.set_socket(worker as u16, listener.as_fd()).expect("socket");
    }
    listeners
}

/// The listener that has a connection waiting.
fn ready(listeners: &[TcpListener; 2]) -> usize {
    let mut fds = listeners.each_ref().map(|listener| PollFd::new(listener.as_fd(), PollFlags::POLLIN));
    poll(&mut fds, PollTimeout::try_from(DEADLINE).expect("a timeout")).expect("poll");
    fds.iter().position(|fd| fd.any() == Some(true)).expect("a connection waits")
}

/// The worker that the shared hash names, of a set of two.
fn expected_worker(stream: &TcpStream) -> usize {
    let (local, peer): (SocketAddr, SocketAddr) =
        (stream.local_addr().expect("address"), stream.peer_addr().expect("address"));
    let hash = flow_hash(&Address::from(local.ip()), local.port(), &Address::from(peer.ip()), peer.port());
    usize::from(hash > u32::MAX / 2)
}

#[test]
fn connections_reach_the_worker_that_the_hash_names() {
    let Some(fixture) = Fixture::active() else { return };
    let listeners = listeners(&fixture);
    let mut seen = [0; 2];
    for address in [OWN, SHARED, OWN6].into_iter().cycle().take(24) {
        let stream = connect(&fixture, address, DEADLINE).expect("connection");
        let worker = ready(&listeners);
        assert_eq!(worker, expected_worker(&stream), "{stream:?}");
        let (accepted, peer) = listeners[worker].accept().expect("accept");
        let local = accepted.local_addr().expect("address");
        assert_eq!(local.ip().to_canonical(), stream.peer_addr().expect("address").ip());
        assert_eq!((local.port(), peer.port()), (80, stream.local_addr().expect("address").port()));
        seen[worker] += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    assert_eq!(fixture.maps().counters().expect("counters").of(Outcome::LookupAssigned), 24);
}

#[test]
fn without_a_live_socket_the_client_is_refused_at_once() {
    let Some(fixture) = Fixture::active() else { return };
    let refused = |address| connect(&fixture, address, DEADLINE).expect_err("nobody listens").kind();
    assert_eq!(refused(OWN), std::io::ErrorKind::ConnectionRefused);
    for listener in listeners(&fixture) {
        // Not by closing it alone: a child that another test has just made may hold a copy of it until its `exec`.
        shutdown(listener.as_raw_fd(), Shutdown::Both).expect("shutdown");
    }
    assert_eq!(refused(OWN6), std::io::ErrorKind::ConnectionRefused);
    assert!(fixture.maps().counters().expect("counters").of(Outcome::LookupNoSocket) >= 2);
}

#[test]
fn a_refused_service_answers_with_rst() {
    let Some(fixture) = Fixture::active() else { return };
    let _listeners = listeners(&fixture);
    fixture.serve(SERVICE_REFUSED);
    for address in [OWN, OWN6] {
        let error = connect(&fixture, address, DEADLINE).expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{address}");
    }
    assert!(fixture.maps().counters().expect("counters").of(Outcome::LookupRefused) >= 2);
}

#[test]
fn what_is_no_service_is_left_to_the_stack() {
    let Some(fixture) = Fixture::active() else { return };
    let _listeners = listeners(&fixture);
    let host = inside(&fixture.node, || TcpListener::bind("10.9.0.1:80").expect("listener"));
    connect(&fixture, "10.9.0.1", DEADLINE).expect("connection to the host itself");
    host.accept().expect("accept");
    assert!(fixture.maps().counters().expect("counters").of(Outcome::LookupPass) >= 1);
}

/// What a browser waits for before it tries the other carrier: RST comes at once, silence would be a timeout.
#[test]
fn a_drained_service_is_refused_within_a_round_trip() {
    let Some(fixture) = Fixture::active() else { return };
    let _listeners = listeners(&fixture);
    fixture.serve(SERVICE_REFUSED);
    for address in [OWN, OWN6] {
        let begin = Instant::now();
        let error = connect(&fixture, address, DEADLINE).expect_err("refused");
        let took = begin.elapsed();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{address}");
        println!("{address}: refused after {took:?}");
        assert!(took < AT_ONCE, "{address}: {took:?}");
    }
    let url = format!("http://{OWN}/");
    let arguments =
        ["--silent", "--output", "/dev/null", "--write-out", "%{time_total}", "--max-time", "5", &url];
    let output = fixture.client.command("curl").args(arguments).output().expect("curl starts");
    let took: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("seconds");
    println!("curl: refused after {took} s");
    assert_eq!(output.status.code(), Some(7), "curl says that it could not connect");
    assert!(took < AT_ONCE.as_secs_f64(), "{took} s");
}

#[test]
fn what_must_not_occur_is_logged_once_a_second() {
    let Some(fixture) = Fixture::active() else { return };
    let _listeners = listeners(&fixture);
    let maps = fixture.maps();
    let mut log = maps.take_log().expect("log");
    assert_eq!(log.take(), None);
    let services = maps.services().expect("services");
    let astray: Vec<_> =
        services.iter().map(|(key, value)| (*key, ServiceValue { worker_set: 99, ..*value })).collect();
    maps.replace_services(&astray).expect("services");
    for _ in 0..20 {
        connect(&fixture, OWN, DEADLINE).expect_err("no worker");
    }
    let line = log.take().expect("a line");
    assert_eq!(line.level, LogLevel::Error);
    assert_eq!(line.text, "service 1 points to worker set 99, which is not there");
    let more = std::iter::from_fn(|| log.take()).count();
    assert!(more < 10, "{more} more lines of 20 connections");
}

#[test]
fn a_log_that_is_off_says_nothing() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    fixture.succeed(&["load", "--log-level", "off"]);
    fixture.serve(0);
    fixture.activate(CONFIG_ACTIVE);
    let maps = fixture.maps();
    maps.set_worker_set(WORKER_SET, &WorkerSet { count: 0, _pad: 0, workers: [0; WORKERS_MAX] })
        .expect("set");
    let mut log = maps.take_log().expect("log");
    connect(&fixture, OWN, DEADLINE).expect_err("no worker");
    assert_eq!(log.take(), None);
    // A swap sets the level anew.
    fixture.succeed(&["swap", "--log-level", "error"]);
    connect(&fixture, OWN, DEADLINE).expect_err("no worker");
    let text = log.take().expect("a line").text;
    assert_eq!(text, format!("service 1 points to worker set {WORKER_SET}, which has no worker"));
}
