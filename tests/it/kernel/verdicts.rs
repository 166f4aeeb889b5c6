//! Verdicts without lists: what is passed, what is dropped, and for which reason.

use waf_common::outcome::Outcome;
use waf_common::service::{CONFIG_ACTIVE, CONFIG_DROP_FRAGMENTS};
use waf_tests::frames::{Frame, PROVIDER_VLAN, SYN, TCP, UDP, VLAN};

use super::fixture::{CLIENT4, CLIENT6, Fixture, OWN, OWN6, SHARED, TENANT, UNUSED, ip};

const DROP: u32 = 1;
const PASS: u32 = 2;

fn tcp(destination: &str, port: u16) -> Frame {
    let source = if destination.contains(':') { CLIENT6 } else { CLIENT4 };
    Frame::tcp((ip(source), 40_000), (ip(destination), port), SYN)
}

fn udp(destination: &str, port: u16) -> Frame {
    let source = if destination.contains(':') { CLIENT6 } else { CLIENT4 };
    Frame::udp((ip(source), 40_000), (ip(destination), port), b"data")
}

fn icmp(destination: &str, kind: u8) -> Frame {
    let source = if destination.contains(':') { CLIENT6 } else { CLIENT4 };
    Frame::icmp(ip(source), ip(destination), kind, 0)
}

fn other(destination: &str, protocol: u8) -> Frame {
    Frame::new(ip(CLIENT4), ip(destination), protocol, vec![0; 8])
}

/// The frame without its last bytes, padded as Ethernet would: its lengths then lie.
fn short(frame: Frame, missing: usize) -> Vec<u8> {
    let mut bytes = frame.build();
    bytes.truncate(bytes.len() - missing);
    bytes
}

fn check(fixture: &Fixture, rows: &[(&str, Vec<u8>, Outcome)]) {
    for (name, frame, expected) in rows {
        let (outcome, action) = fixture.verdict(frame);
        assert_eq!(outcome, *expected, "{name}");
        let is_drop = outcome.name().starts_with("drop_");
        assert_eq!(action, if is_drop { DROP } else { PASS }, "{name}");
    }
}

#[test]
fn each_kind_of_packet_has_its_outcome() {
    let Some(fixture) = Fixture::active() else { return };
    let mut arp = tcp(OWN, 80).build();
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    check(
        &fixture,
        &[
            ("arp", arp, Outcome::PassNotIp),
            ("service", tcp(OWN, 80).build(), Outcome::PassService),
            ("service, v6", tcp(OWN6, 80).build(), Outcome::PassService),
            ("udp service", udp(OWN, 443).build(), Outcome::PassService),
            ("service in a VLAN", tcp(OWN, 80).tag(VLAN, 5).build(), Outcome::PassService),
            (
                "service in QinQ",
                tcp(OWN, 80).tag(PROVIDER_VLAN, 5).tag(VLAN, 6).build(),
                Outcome::PassService,
            ),
            ("service with options", tcp(OWN, 80).options(40).build(), Outcome::PassService),
            (
                "service behind extensions",
                tcp(OWN6, 80).extension(0, 1).extension(60, 2).build(),
                Outcome::PassService,
            ),
            ("first fragment", tcp(OWN, 80).fragment(0, true).build(), Outcome::PassService),
            ("later fragment", udp(OWN, 443).fragment(8, false).build(), Outcome::PassFragment),
            ("later fragment, v6", tcp(OWN6, 80).fragment(8, false).build(), Outcome::PassFragment),
            (
                "later fragment for no service address",
                udp(UNUSED, 443).fragment(8, false).build(),
                Outcome::DropNoService,
            ),
            ("other port", tcp(OWN, 22).build(), Outcome::DropNoService),
            ("other protocol of the port", udp(OWN, 80).build(), Outcome::DropNoService),
            ("esp for a service address", other(OWN, 50).build(), Outcome::DropNoService),
            ("unused address", tcp(UNUSED, 80).build(), Outcome::DropNoService),
            ("unused address, v6", tcp("fd00:1::99", 80).build(), Outcome::DropNoService),
            ("ping of a service address", icmp(OWN, 8).build(), Outcome::PassIcmp),
            ("ping of a service address, v6", icmp(OWN6, 128).build(), Outcome::PassIcmp),
            ("ping of an unused address", icmp(UNUSED, 8).build(), Outcome::PassIcmp),
            ("redirect", icmp(OWN, 5).build(), Outcome::PassIcmp),
            ("time exceeded", icmp(OWN, 11).build(), Outcome::PassIcmp),
            ("parameter problem, v6", icmp(OWN6, 4).build(), Outcome::PassIcmp),
            ("too big for an unused address, v6", icmp("fd00:1::99", 2).build(), Outcome::PassIcmp),
            ("ping of the host", icmp("10.9.0.1", 8).build(), Outcome::PassHost),
            ("unreachable", icmp(OWN, 3).build(), Outcome::PassIcmp),
            ("too big, v6", icmp(OWN6, 2).build(), Outcome::PassIcmp),
            ("neighbour solicitation", icmp("fd09::1", 135).build(), Outcome::PassIcmp),
            ("management", tcp("10.9.0.1", 22).build(), Outcome::PassHost),
            ("management, v6", tcp("fd09::1", 22).build(), Outcome::PassHost),
            ("esp for the host", other("10.9.0.1", 50).build(), Outcome::PassHost),
            ("gre for the host", other("10.9.0.1", 47).build(), Outcome::PassHost),
        ],
    );
    let tenants = fixture.maps().tenant_counters().expect("tenant counters");
    let [(tenant, counters)] = tenants[..] else { panic!("one tenant, not {tenants:?}") };
    assert_eq!(tenant, TENANT);
    assert!(counters.packets >= 12 && counters.syns >= 7 && counters.drops == 0, "{counters:?}");
}

#[test]
fn malformed_is_dropped_only_where_it_is_for_us() {
    let Some(fixture) = Fixture::active() else { return };
    let cut = |destination: &str| Frame::new(ip(CLIENT4), ip(destination), TCP, vec![0; 12]).build();
    let mut low_offset = tcp(OWN, 80).build();
    low_offset[14 + 20 + 12] = 0x40;
    check(
        &fixture,
        &[
            ("tcp cut, service address", cut(OWN), Outcome::DropMalformed),
            ("tcp cut, unused address of a prefix", cut(UNUSED), Outcome::DropMalformed),
            ("tcp cut, host", cut("10.9.0.1"), Outcome::PassHost),
            ("tcp offset", low_offset, Outcome::DropMalformed),
            ("longer than the frame", short(tcp(OWN, 80), 4), Outcome::DropMalformed),
            ("longer than the frame, host", short(tcp("10.9.0.1", 80), 4), Outcome::PassHost),
            (
                "udp length",
                Frame::new(ip(CLIENT4), ip(OWN), UDP, vec![0, 1, 1, 187, 0, 7, 0, 0]).build(),
                Outcome::DropMalformed,
            ),
            ("icmp cut", Frame::new(ip(CLIENT4), ip(OWN), 1, vec![8, 0]).build(), Outcome::DropMalformed),
            (
                "seven extensions",
                (0..7).fold(tcp(OWN6, 80), |frame, _| frame.extension(60, 1)).build(),
                Outcome::DropMalformed,
            ),
            ("no destination yet", short(tcp(OWN, 80), 24), Outcome::PassHost),
            ("tiny fragment over the flags", tcp(OWN, 80).fragment(1, false).build(), Outcome::DropMalformed),
        ],
    );
}

#[test]
fn prefixes_that_are_open_leave_the_rest_to_the_stack() {
    let Some(fixture) = Fixture::active_with("only_services = false") else { return };
    check(
        &fixture,
        &[
            ("service", tcp(SHARED, 80).build(), Outcome::PassService),
            ("other port", tcp(OWN, 22).build(), Outcome::PassHost),
            ("unused address", tcp(UNUSED, 80).build(), Outcome::PassHost),
            ("ping of an unused address", icmp(UNUSED, 8).build(), Outcome::PassIcmp),
        ],
    );
}

#[test]
fn until_a_node_activates_it_everything_passes() {
    let Some(fixture) = Fixture::active() else { return };
    fixture.activate(0);
    check(
        &fixture,
        &[
            ("service", tcp(OWN, 80).build(), Outcome::PassInactive),
            ("unused address", tcp(UNUSED, 80).build(), Outcome::PassInactive),
        ],
    );
}

#[test]
fn fragments_are_dropped_where_the_node_says_so() {
    let Some(fixture) = Fixture::active() else { return };
    fixture.activate(CONFIG_ACTIVE | CONFIG_DROP_FRAGMENTS);
    check(
        &fixture,
        &[
            ("whole", tcp(OWN, 80).build(), Outcome::PassService),
            ("atomic, v6", tcp(OWN6, 80).fragment(0, false).build(), Outcome::PassService),
            ("first", tcp(OWN, 80).fragment(0, true).build(), Outcome::DropFragment),
            ("later", udp(OWN, 443).fragment(8, false).build(), Outcome::DropFragment),
            ("later, v6", tcp(OWN6, 80).fragment(8, true).build(), Outcome::DropFragment),
            ("of a ping", icmp(OWN, 8).fragment(0, true).build(), Outcome::DropFragment),
            (
                "of a ping of an unused address",
                icmp(UNUSED, 8).fragment(8, false).build(),
                Outcome::DropFragment,
            ),
            ("for no service", udp(UNUSED, 443).fragment(8, false).build(), Outcome::DropNoService),
            ("for the host", udp("10.9.0.1", 53).fragment(8, false).build(), Outcome::PassHost),
            ("of an error", icmp(OWN, 3).fragment(0, true).build(), Outcome::DropFragment),
            ("malformed", tcp(OWN, 80).fragment(1, false).build(), Outcome::DropMalformed),
        ],
    );
}
