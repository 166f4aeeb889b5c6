//! Frames made by hand for the comparison of the two parsers: each header's forms and limits, one fact a frame, by name.

use std::net::IpAddr;

use crate::frames::{Frame, ICMP, ICMPV6, PROVIDER_VLAN, SYN, TCP, UDP, VLAN, udp_header};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

type Rows = Vec<(String, Vec<u8>)>;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// TCP, UDP and ICMP over both families.
fn bases() -> Vec<(&'static str, Frame)> {
    let (s4, d4) = (ip("192.0.2.1"), ip("10.1.0.10"));
    let (s6, d6) = (ip("2001:db8::1"), ip("fd00:1::10"));
    vec![
        ("tcp4", Frame::tcp((s4, 1000), (d4, 443), SYN)),
        ("udp4", Frame::udp((s4, 5353), (d4, 53), b"data")),
        ("icmp4", Frame::icmp(s4, d4, 8, 0)),
        ("tcp6", Frame::tcp((s6, 1000), (d6, 443), SYN)),
        ("udp6", Frame::udp((s6, 5353), (d6, 53), b"data")),
        ("icmp6", Frame::icmp(s6, d6, 128, 0)),
    ]
}

fn is_v6(frame: &Frame) -> bool {
    frame.source.is_ipv6()
}

/// Whole frames: at least 150 of them.
pub fn frames() -> Rows {
    let mut rows = Rows::new();
    tags(&mut rows);
    options(&mut rows);
    extensions(&mut rows);
    fragments(&mut rows);
    protocols(&mut rows);
    spoiled(&mut rows);
    rows
}

/// Every beginning of some frames with all that a frame can have, from an Ethernet header on.
pub fn truncations() -> Rows {
    let mut rows = Rows::new();
    for (name, frame) in bases() {
        let tagged = frame.tag(PROVIDER_VLAN, 7).tag(VLAN, 8);
        let full = if is_v6(&tagged) {
            tagged
                .extension(HOP_BY_HOP, 1)
                .extension(ROUTING, 2)
                .extension(AUTHENTICATION, 3)
                .fragment(0, true)
        } else {
            tagged.options(40)
        };
        let bytes = full.build();
        for len in 14..bytes.len() {
            rows.push((format!("{name} with all, {len} bytes"), bytes[..len].to_vec()));
        }
    }
    rows
}

fn tags(rows: &mut Rows) {
    for (name, frame) in bases() {
        for (tag, tags) in [
            ("untagged", &[][..]),
            ("vlan", &[VLAN]),
            ("provider tag alone", &[PROVIDER_VLAN]),
            ("QinQ", &[PROVIDER_VLAN, VLAN]),
            ("stacked 802.1Q", &[VLAN, VLAN]),
            ("stacked 0x9100", &[0x9100, VLAN]),
            ("three tags", &[PROVIDER_VLAN, VLAN, VLAN]),
        ] {
            let tagged = tags.iter().fold(frame.clone(), |frame, tag| frame.tag(*tag, 0x0fff));
            rows.push((format!("{name}, {tag}"), tagged.build()));
        }
    }
}

fn options(rows: &mut Rows) {
    for (name, frame) in bases().into_iter().filter(|(_, frame)| !is_v6(frame)) {
        for words in 1..=10 {
            rows.push((
                format!("{name}, {words} words of options"),
                frame.clone().options(words * 4).build(),
            ));
        }
    }
}

fn extensions(rows: &mut Rows) {
    for (name, frame) in bases().into_iter().filter(|(_, frame)| is_v6(frame)) {
        for header in [HOP_BY_HOP, ROUTING, AUTHENTICATION, DESTINATION, MOBILITY, HOST_IDENTITY, SHIM6] {
            let words = if header == AUTHENTICATION { 3 } else { 2 };
            rows.push((
                format!("{name}, extension {header}"),
                frame.clone().extension(header, words).build(),
            ));
        }
        for count in 2..=8 {
            let chain = (0..count).fold(frame.clone(), |frame, _| frame.extension(DESTINATION, 1));
            rows.push((format!("{name}, {count} extensions"), chain.build()));
        }
        for words in [31, 50, 55, 58, 64] {
            let long = frame.clone().extension(DESTINATION, words);
            rows.push((format!("{name}, an extension of {words} words"), long.build()));
        }
    }
}

fn fragments(rows: &mut Rows) {
    for (name, frame) in bases() {
        for (offset, more) in
            [(0, false), (0, true), (1, false), (1, true), (2, false), (185, true), (0x1fff, false)]
        {
            let part = frame.clone().fragment(offset, more);
            rows.push((format!("{name}, fragment {offset} more {more}"), part.build()));
        }
    }
}

fn protocols(rows: &mut Rows) {
    for (name, frame) in bases() {
        for protocol in [2, 4, 41, 47, 50, 59, 89, 132, 255] {
            let mut other = frame.clone();
            other.protocol = protocol;
            rows.push((format!("{name}'s bytes as protocol {protocol}"), other.build()));
        }
        let mut crossed = frame.clone();
        crossed.protocol = if is_v6(&frame) { ICMP } else { ICMPV6 };
        rows.push((format!("{name}'s bytes as the other family's ICMP"), crossed.build()));
    }
}

/// One field replaced.
fn spoiled(rows: &mut Rows) {
    for (name, frame) in bases() {
        let bytes = frame.build();
        let with = |at: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            bytes
        };
        for version in [0u8, 3, 4, 5, 6, 7, 15] {
            rows.push((format!("{name}, version {version}"), with(14, version << 4 | bytes[14] & 15)));
        }
        if !is_v6(&frame) {
            for words in 0..16 {
                rows.push((format!("{name}, header of {words} words"), with(14, 0x40 | words)));
            }
        }
        // Total length of IPv4, payload length of IPv6: lower octet.
        let length = if is_v6(&frame) { 19 } else { 17 };
        for value in [0, 1, 7, 8, 19, 20, 21, 39, 40, 41, 255] {
            rows.push((format!("{name}, length {value}"), with(length, value)));
        }
        let transport = frame.transport_offset();
        if frame.protocol == TCP {
            for words in 0..16u8 {
                rows.push((format!("{name}, TCP header of {words} words"), with(transport + 12, words << 4)));
            }
            for flags in [0, 0x01, 0x02, 0x04, 0x10, 0x12, 0x14, 0x29, 0x3f, 0xff] {
                rows.push((format!("{name}, TCP flags {flags:#04x}"), with(transport + 13, flags)));
            }
        }
        if frame.protocol == UDP {
            for value in [0, 7, 8, 11, 12, 13, 255] {
                rows.push((format!("{name}, UDP length {value}"), with(transport + 5, value)));
            }
            let mut empty = frame.clone();
            empty.payload = udp_header(1, 2, b"");
            rows.push((format!("{name}, no data"), empty.build()));
        }
        let mut padded = bytes.clone();
        padded.resize(bytes.len() + 18, 0);
        rows.push((format!("{name}, padded"), padded));
    }
}
