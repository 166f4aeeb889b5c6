//! sk_lookup by true connections: the chosen worker's socket, for both families, without any address on an interface.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use waf_common::address::Address;
use waf_common::outcome::Outcome;
use waf_common::service::SERVICE_REFUSED;
use waf_common::steer::{Family, flow_hash};

use super::fixture::{Fixture, OWN, OWN6, SHARED, connect, inside};

const DEADLINE: Duration = Duration::from_secs(5);

/// Two dual-stack listeners on ports of the kernel's choice, in SOCKETS for both families.
fn listeners(fixture: &Fixture) -> [TcpListener; 2] {
    let listener = || TcpListener::bind("[::]:0").expect("listener");
    let listeners = inside(&fixture.node, || [listener(), listener()]);
    let maps = fixture.maps();
    for (worker, listener) in listeners.iter().enumerate() {
        for family in [Family::V4, Family::V6] {
            maps.set_socket(worker as u16, family, listener.as_fd()).expect("socket");
        }
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
    drop(listeners(&fixture));
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
