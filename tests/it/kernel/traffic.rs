//! True traffic through the cable: bans bite and end, VLAN frames and pings go their way, CPUMAP steers.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, connect as connect_socket,
    recv, send, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;
use waf_common::block::{Reason, SCOPE_NODE};
use waf_common::outcome::Outcome;
use waf_common::service::{CONFIG_ACTIVE, CONFIG_CPUMAP};
use waf_user::kernel::BlockEntry;

use super::fixture::{CLIENT4, CLIENT6, Fixture, OWN, OWN6, TENANT, connect, inside, ip};

const DEADLINE: Duration = Duration::from_secs(5);
/// Shorter than the first retransmission of a SYN: silence is silence.
const SILENCE: Duration = Duration::from_millis(300);

fn count(fixture: &Fixture, outcome: Outcome) -> u64 {
    fixture.maps().counters().expect("counters").of(outcome)
}

/// One listener for both workers.
fn listen(fixture: &Fixture) -> TcpListener {
    let listener = inside(&fixture.node, || TcpListener::bind("[::]:0").expect("listener"));
    for worker in 0..2 {
        fixture.maps().set_socket(worker, listener.as_fd()).expect("socket");
    }
    listener
}

/// A ban bites at once, is lifted at once, and another source is not touched.
fn ban_and_lift(fixture: &Fixture) {
    let _listener = listen(fixture);
    for (address, source) in [(OWN, CLIENT4), (OWN6, CLIENT6)] {
        let prefix = source.parse::<std::net::IpAddr>().expect("an address").into();
        let entry =
            BlockEntry { scope: TENANT, prefix, reason: Reason::Operator, tenant: TENANT, expires_s: 0 };
        let maps = fixture.maps();
        connect(fixture, address, DEADLINE).expect("before the ban");
        maps.block(entry).expect("ban");
        connect(fixture, address, SILENCE).expect_err("banned");
        assert!(count(fixture, Outcome::DropTenant) >= 1);
        assert!(maps.unblock(TENANT, prefix).expect("lift"));
        connect(fixture, address, DEADLINE).expect("after the ban");
    }
}

#[test]
fn a_ban_bites_and_ends_in_native_mode() {
    let Some(fixture) = Fixture::active_with("xdp_mode = \"native\"") else { return };
    ban_and_lift(&fixture);
}

#[test]
fn a_ban_bites_and_ends_in_generic_mode() {
    let Some(fixture) = Fixture::active_with("xdp_mode = \"generic\"") else { return };
    assert!(fixture.succeed(&["inspect"]).contains("(generic)"));
    ban_and_lift(&fixture);
}

#[test]
fn a_ban_expires_by_itself() {
    let Some(fixture) = Fixture::active() else { return };
    let _listener = listen(&fixture);
    let prefix = CLIENT4.parse::<std::net::IpAddr>().expect("an address").into();
    let expires_s = waf_user::model::Mono::now().seconds() + 2;
    let entry = BlockEntry { scope: SCOPE_NODE, prefix, reason: Reason::Ban, tenant: 0, expires_s };
    fixture.maps().block(entry).expect("ban");
    connect(&fixture, OWN, SILENCE).expect_err("banned");
    let deadline = Instant::now() + DEADLINE;
    while connect(&fixture, OWN, SILENCE).is_err() {
        assert!(Instant::now() < deadline, "the ban never ends");
    }
    assert!(waf_user::model::Mono::now().seconds() >= expires_s);
}

/// One echo request by a ping socket (the kernel fills in identifier and checksum); whether an answer comes.
pub fn ping(target: &str) -> nix::Result<()> {
    let target = SocketAddr::new(ip(target), 0);
    let (family, protocol, request) = match target {
        SocketAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp, 8),
        SocketAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6, 128),
    };
    let socket = socket(family, SockType::Datagram, SockFlag::empty(), protocol)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(DEADLINE.as_secs() as i64, 0))?;
    connect_socket(socket.as_raw_fd(), &SockaddrStorage::from(target))?;
    send(socket.as_raw_fd(), &[request, 0, 0, 0, 0, 0, 0, 1], MsgFlags::empty())?;
    recv(socket.as_raw_fd(), &mut [0; 64], MsgFlags::empty()).map(drop)
}

#[test]
fn pings_of_service_addresses_are_answered() {
    let Some(fixture) = Fixture::active() else { return };
    fixture.client.sysctl("net/ipv4/ping_group_range", "0 0").expect("ping sockets for root");
    for address in [OWN, OWN6, "10.9.0.1"] {
        inside(&fixture.client, || ping(address)).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
    assert!(count(&fixture, Outcome::PassIcmp) >= 2);
}

#[test]
fn cpumap_steers_and_loses_nothing() {
    let Some(fixture) = Fixture::active_with("cpumap = true") else { return };
    let listener = listen(&fixture);
    fixture.activate(CONFIG_ACTIVE | CONFIG_CPUMAP);
    for address in [OWN, OWN6, OWN, OWN6] {
        connect(&fixture, address, DEADLINE).expect("connection");
        listener.accept().expect("accept");
    }
    assert!(count(&fixture, Outcome::PassSteered) >= 4);
}
