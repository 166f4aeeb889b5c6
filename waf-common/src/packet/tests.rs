//! The parser: a table a layer with both sides of each limit, then properties of frames by chance.

use std::net::IpAddr;
use std::vec::Vec;

use proptest::prelude::*;

use super::frames::{
    Frame, ICMP, ICMPV6, PROVIDER_VLAN, SYN, TCP, UDP, VLAN, any_frame, tcp_header, udp_header,
};
use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn v4() -> (IpAddr, IpAddr) {
    (ip("192.0.2.1"), ip("10.1.0.10"))
}

fn v6() -> (IpAddr, IpAddr) {
    (ip("2001:db8::1"), ip("fd00:1::10"))
}

fn tcp4() -> Frame {
    Frame::tcp((v4().0, 1000), (v4().1, 443), SYN)
}

fn tcp6() -> Frame {
    Frame::tcp((v6().0, 1000), (v6().1, 443), SYN)
}

fn udp4() -> Frame {
    Frame::udp((v4().0, 5353), (v4().1, 53), b"data")
}

fn udp6() -> Frame {
    Frame::udp((v6().0, 5353), (v6().1, 53), b"data")
}

/// The frame with one byte replaced.
fn with(frame: Frame, at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = frame.build();
    bytes[at] = byte;
    bytes
}

/// The first bytes of the frame.
fn cut(frame: Frame, len: usize) -> Vec<u8> {
    let mut bytes = frame.build();
    bytes.truncate(len);
    bytes
}

/// The frame with bytes behind the datagram, as Ethernet pads to 60.
fn padded(frame: Frame) -> Vec<u8> {
    let mut bytes = frame.build();
    bytes.resize(bytes.len() + 6, 0);
    bytes
}

/// What a row says of a parse.
#[derive(Debug, PartialEq)]
enum Seen {
    NotIp,
    Unaddressed(Layer),
    /// Ports and flags of TCP or UDP.
    Ports(u8, u16, u16, u8, Fragment),
    Icmp(u8, u8, u8),
    /// Protocol of another kind or a later fragment.
    Other(u8, Fragment),
    Malformed(Layer),
}

fn seen(bytes: &[u8]) -> Seen {
    match parse(bytes) {
        Parsed::NotIp => Seen::NotIp,
        Parsed::Unaddressed(layer) => Seen::Unaddressed(layer),
        Parsed::Ip(p) => match (p.malformed, p.protocol) {
            (Some(layer), _) => Seen::Malformed(layer),
            (None, protocol) if p.fragment == Fragment::Later => Seen::Other(protocol, Fragment::Later),
            (None, TCP | UDP) => {
                Seen::Ports(p.protocol, p.source_port, p.destination_port, p.tcp_flags, p.fragment)
            }
            (None, ICMP | ICMPV6) => Seen::Icmp(p.protocol, p.icmp[0], p.icmp[1]),
            (None, protocol) => Seen::Other(protocol, p.fragment),
        },
    }
}

const TCP_SEEN: Seen = Seen::Ports(TCP, 1000, 443, SYN, Fragment::Whole);
const UDP_SEEN: Seen = Seen::Ports(UDP, 5353, 53, 0, Fragment::Whole);

fn check(rows: &[(&str, Vec<u8>, Seen)]) {
    for (name, bytes, expected) in rows {
        assert_eq!(seen(bytes), *expected, "{name}");
    }
}

#[test]
fn link_layer() {
    check(&[
        ("no byte", Vec::new(), Seen::Unaddressed(Layer::Link)),
        ("13 bytes", cut(tcp4(), 13), Seen::Unaddressed(Layer::Link)),
        ("14 bytes, IPv4 to come", cut(tcp4(), 14), Seen::Unaddressed(Layer::Network)),
        (
            "arp",
            {
                let mut b = with(tcp4(), 12, 0x08);
                b[13] = 0x06;
                b
            },
            Seen::NotIp,
        ),
        ("802.3 length", with(tcp4(), 12, 0x00), Seen::NotIp),
        ("untagged", tcp4().build(), TCP_SEEN),
        ("vlan", tcp4().tag(VLAN, 7).build(), TCP_SEEN),
        ("vlan, IPv6", tcp6().tag(VLAN, 7).build(), TCP_SEEN),
        ("QinQ", tcp4().tag(PROVIDER_VLAN, 7).tag(VLAN, 8).build(), TCP_SEEN),
        ("stacked 802.1Q", tcp4().tag(VLAN, 7).tag(VLAN, 8).build(), TCP_SEEN),
        ("stacked 0x9100", tcp4().tag(0x9100, 7).tag(VLAN, 8).build(), TCP_SEEN),
        ("three tags", tcp4().tag(VLAN, 7).tag(VLAN, 8).tag(VLAN, 9).build(), Seen::NotIp),
        ("tag cut off", cut(tcp4().tag(VLAN, 7), 17), Seen::Unaddressed(Layer::Link)),
        ("second tag cut off", cut(tcp4().tag(VLAN, 7).tag(VLAN, 8), 21), Seen::Unaddressed(Layer::Link)),
    ]);
}

#[test]
fn ipv4_header() {
    check(&[
        ("19 of 20 bytes", cut(tcp4(), 33), Seen::Unaddressed(Layer::Network)),
        ("20 of 40 bytes", cut(tcp4(), 34), Seen::Malformed(Layer::Network)),
        ("version 5", with(tcp4(), 14, 0x55), Seen::Unaddressed(Layer::Network)),
        ("header of 16 bytes", with(tcp4(), 14, 0x44), Seen::Malformed(Layer::Network)),
        ("total below header", with(tcp4(), 17, 19), Seen::Malformed(Layer::Network)),
        ("total is the header", with(tcp4(), 17, 20), Seen::Malformed(Layer::Transport)),
        ("total one more than the frame", with(tcp4(), 17, 41), Seen::Malformed(Layer::Network)),
        ("padding", padded(tcp4()), TCP_SEEN),
        ("one option word", tcp4().options(4).build(), TCP_SEEN),
        ("all options", tcp4().options(40).build(), TCP_SEEN),
        ("options cut off", cut(tcp4().options(40), 60), Seen::Malformed(Layer::Network)),
        ("header longer than the datagram", with(tcp4(), 14, 0x4f), Seen::Malformed(Layer::Network)),
    ]);
}

#[test]
fn ipv4_fragments() {
    check(&[
        ("do not fragment", with(tcp4(), 20, 0x40), TCP_SEEN),
        ("first", tcp4().fragment(0, true).build(), Seen::Ports(TCP, 1000, 443, SYN, Fragment::First)),
        ("later", udp4().fragment(2, true).build(), Seen::Other(UDP, Fragment::Later)),
        ("last", udp4().fragment(0x1fff, false).build(), Seen::Other(UDP, Fragment::Later)),
        ("tcp at offset 1", tcp4().fragment(1, false).build(), Seen::Malformed(Layer::Network)),
        ("tcp at offset 2", tcp4().fragment(2, false).build(), Seen::Other(TCP, Fragment::Later)),
        ("udp at offset 1", udp4().fragment(1, false).build(), Seen::Other(UDP, Fragment::Later)),
        (
            "first without the whole tcp header",
            Frame::new(v4().0, v4().1, TCP, tcp_header(1, 2, SYN)[..16].to_vec()).fragment(0, true).build(),
            Seen::Malformed(Layer::Transport),
        ),
        (
            "first of a longer udp datagram",
            Frame::new(v4().0, v4().1, UDP, udp_header(5353, 53, &[0; 100])[..16].to_vec())
                .fragment(0, true)
                .build(),
            Seen::Ports(UDP, 5353, 53, 0, Fragment::First),
        ),
    ]);
}

#[test]
fn ipv6_header() {
    check(&[
        ("39 of 40 bytes", cut(tcp6(), 53), Seen::Unaddressed(Layer::Network)),
        ("40 of 60 bytes", cut(tcp6(), 54), Seen::Malformed(Layer::Network)),
        ("version 4", with(tcp6(), 14, 0x40), Seen::Unaddressed(Layer::Network)),
        ("tcp", tcp6().build(), TCP_SEEN),
        ("udp", udp6().build(), UDP_SEEN),
        ("padding", padded(tcp6()), TCP_SEEN),
        ("payload length 0", with(tcp6(), 19, 0), Seen::Malformed(Layer::Transport)),
        ("payload one more than the frame", with(tcp6(), 19, 21), Seen::Malformed(Layer::Network)),
        ("no next header", with(tcp6(), 20, 59), Seen::Other(59, Fragment::Whole)),
        ("esp", with(tcp6(), 20, 50), Seen::Other(50, Fragment::Whole)),
    ]);
}

#[test]
fn ipv6_extensions() {
    let six = (0..6).fold(tcp6(), |frame, _| frame.extension(60, 1));
    let seven = (0..7).fold(tcp6(), |frame, _| frame.extension(60, 1));
    check(&[
        ("hop by hop", tcp6().extension(0, 1).build(), TCP_SEEN),
        ("routing", tcp6().extension(43, 3).build(), TCP_SEEN),
        ("destination options", udp6().extension(60, 2).build(), UDP_SEEN),
        ("authentication", tcp6().extension(51, 3).build(), TCP_SEEN),
        ("mobility", tcp6().extension(135, 1).build(), TCP_SEEN),
        (
            "hop by hop, routing, fragment",
            tcp6().extension(0, 1).extension(43, 1).fragment(0, false).build(),
            TCP_SEEN,
        ),
        ("six", six.build(), TCP_SEEN),
        ("seven", seven.build(), Seen::Malformed(Layer::Extension)),
        ("longer than the datagram", with(tcp6().extension(60, 1), 55, 9), Seen::Malformed(Layer::Extension)),
        (
            "header cut off by the payload length",
            Frame::new(v6().0, v6().1, 60, [6].to_vec()).build(),
            Seen::Malformed(Layer::Extension),
        ),
        ("beyond the parser's window", tcp6().extension(60, 60).build(), Seen::Malformed(Layer::Transport)),
    ]);
}

#[test]
fn ipv6_fragments() {
    check(&[
        ("atomic", tcp6().fragment(0, false).build(), TCP_SEEN),
        ("first", tcp6().fragment(0, true).build(), Seen::Ports(TCP, 1000, 443, SYN, Fragment::First)),
        ("later", tcp6().fragment(1, true).build(), Seen::Other(TCP, Fragment::Later)),
        ("last", udp6().fragment(0x1fff, false).build(), Seen::Other(UDP, Fragment::Later)),
        (
            "header cut off",
            Frame::new(v6().0, v6().1, 44, [6, 0, 0, 0].to_vec()).build(),
            Seen::Malformed(Layer::Extension),
        ),
    ]);
}

#[test]
fn transports() {
    let segment = |bytes: &[u8]| Frame::new(v4().0, v4().1, TCP, bytes.to_vec()).build();
    let datagram = |bytes: &[u8]| Frame::new(v4().0, v4().1, UDP, bytes.to_vec()).build();
    let message = |bytes: &[u8]| Frame::new(v4().0, v4().1, ICMP, bytes.to_vec()).build();
    check(&[
        ("tcp of 19 bytes", segment(&tcp_header(1000, 443, SYN)[..19]), Seen::Malformed(Layer::Transport)),
        ("tcp of 20 bytes", segment(&tcp_header(1000, 443, SYN)), TCP_SEEN),
        ("tcp offset 4", with(tcp4(), 34 + 12, 0x40), Seen::Malformed(Layer::Transport)),
        ("tcp offset 6 of 20 bytes", with(tcp4(), 34 + 12, 0x60), Seen::Malformed(Layer::Transport)),
        ("udp of 7 bytes", datagram(&[0; 7]), Seen::Malformed(Layer::Transport)),
        ("udp without data", datagram(&udp_header(5353, 53, b"")), UDP_SEEN),
        ("udp length 7", with(udp4(), 34 + 5, 7), Seen::Malformed(Layer::Transport)),
        ("udp length 8 of 12", with(udp4(), 34 + 5, 8), UDP_SEEN),
        ("udp length 13 of 12", with(udp4(), 34 + 5, 13), Seen::Malformed(Layer::Transport)),
        ("icmp of 3 bytes", message(&[8, 0, 0]), Seen::Malformed(Layer::Transport)),
        ("icmp of 4 bytes", message(&[8, 0, 0, 0]), Seen::Icmp(ICMP, 8, 0)),
        ("icmpv6 echo", Frame::icmp(v6().0, v6().1, 128, 0).build(), Seen::Icmp(ICMPV6, 128, 0)),
        ("gre", Frame::new(v4().0, v4().1, 47, Vec::new()).build(), Seen::Other(47, Fragment::Whole)),
    ]);
}

#[test]
fn vital_icmp() {
    let (s4, d4) = v4();
    let (s6, d6) = v6();
    for (name, frame, expected) in [
        ("echo", Frame::icmp(s4, d4, 8, 0), false),
        ("unreachable", Frame::icmp(s4, d4, 3, 1), true),
        ("fragmentation needed", Frame::icmp(s4, d4, 3, 4), true),
        ("time exceeded", Frame::icmp(s4, d4, 11, 0), true),
        ("redirect", Frame::icmp(s4, d4, 5, 0), false),
        ("echo, v6", Frame::icmp(s6, d6, 128, 0), false),
        ("too big, v6", Frame::icmp(s6, d6, 2, 0), true),
        ("parameter problem, v6", Frame::icmp(s6, d6, 4, 0), true),
        ("neighbour solicitation", Frame::icmp(s6, d6, 135, 0), true),
        ("redirect, v6", Frame::icmp(s6, d6, 137, 0), true),
        ("too big in a first fragment", Frame::icmp(s6, d6, 2, 0).fragment(0, true), false),
        ("tcp", tcp4(), false),
    ] {
        let Parsed::Ip(packet) = parse(frame.build().as_slice()) else { panic!("{name}: no IP") };
        assert_eq!(packet.is_vital_icmp(), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(bytes.as_slice());
    }

    #[test]
    fn never_panics_on_spoiled_frames(frame in any_frame(), at in any::<prop::sample::Index>(), byte: u8, len in any::<prop::sample::Index>()) {
        let mut bytes = frame.build();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(len.index(bytes.len() + 1));
        let _ = parse(bytes.as_slice());
    }

    #[test]
    fn built_frames_come_back(frame in any_frame()) {
        let Parsed::Ip(packet) = parse(frame.build().as_slice()) else { panic!("no IP") };
        prop_assert_eq!(packet.malformed, None);
        prop_assert_eq!(packet.source, Address::from(frame.source));
        prop_assert_eq!(packet.destination, Address::from(frame.destination));
        prop_assert_eq!(packet.protocol, frame.protocol);
        prop_assert_eq!(packet.source_port, u16::from_be_bytes([frame.payload[0], frame.payload[1]]));
        prop_assert_eq!(packet.destination_port, u16::from_be_bytes([frame.payload[2], frame.payload[3]]));
        prop_assert_eq!(usize::from(packet.transport_offset), frame.transport_offset());
        let flags = if frame.protocol == TCP { frame.payload[13] } else { 0 };
        prop_assert_eq!(packet.tcp_flags, flags);
        let expected = if frame.fragment.is_some() { Fragment::First } else { Fragment::Whole };
        prop_assert_eq!(packet.fragment, expected);
    }
}
