//! TCP, UDP and ICMP headers. Checksums are the stack's business; other protocols have nothing we read.

use super::{Bytes, Fragment, Layer, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP, Packet};

const TCP_LEN: usize = 20;
const UDP_LEN: usize = 8;
/// Type, code and checksum: all that every ICMP message has (RFC 4443 §2.1).
const ICMP_LEN: usize = 4;

/// Hot: per packet. Adds what stands in the header at `at`; the datagram ends at `end`.
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(frame: &B, packet: Packet, at: usize, end: usize) -> Packet {
    match packet.protocol {
        PROTOCOL_TCP => tcp(frame, packet, at, end),
        PROTOCOL_UDP => udp(frame, packet, at, end),
        PROTOCOL_ICMP | PROTOCOL_ICMPV6 => icmp(frame, packet, at, end),
        _ => packet,
    }
}

/// RFC 9293 §3.1. The whole header must be in the packet, also in a first fragment (RFC 1858 §3.1).
#[inline(always)]
fn tcp<B: Bytes + ?Sized>(frame: &B, mut packet: Packet, at: usize, end: usize) -> Packet {
    let Some(header) = frame.read_within::<TCP_LEN>(at, end) else {
        return packet.malformed_at(Layer::Transport);
    };
    let [s0, s1, d0, d1, _, _, _, _, _, _, _, _, offset, flags, ..] = header;
    let header_len = usize::from(offset >> 4) * 4;
    if header_len < TCP_LEN || at + header_len > end {
        return packet.malformed_at(Layer::Transport);
    }
    packet.source_port = u16::from_be_bytes([s0, s1]);
    packet.destination_port = u16::from_be_bytes([d0, d1]);
    packet.tcp_flags = flags;
    packet
}

/// RFC 768. The length of a first fragment is the whole datagram's.
#[inline(always)]
fn udp<B: Bytes + ?Sized>(frame: &B, mut packet: Packet, at: usize, end: usize) -> Packet {
    let Some([s0, s1, d0, d1, len_high, len_low, _, _]) = frame.read_within::<UDP_LEN>(at, end) else {
        return packet.malformed_at(Layer::Transport);
    };
    let len = usize::from(u16::from_be_bytes([len_high, len_low]));
    let whole = matches!(packet.fragment, Fragment::Whole);
    if len < UDP_LEN || (whole && at + len > end) {
        return packet.malformed_at(Layer::Transport);
    }
    packet.source_port = u16::from_be_bytes([s0, s1]);
    packet.destination_port = u16::from_be_bytes([d0, d1]);
    packet
}

/// RFC 792, RFC 4443.
#[inline(always)]
fn icmp<B: Bytes + ?Sized>(frame: &B, mut packet: Packet, at: usize, end: usize) -> Packet {
    let Some([kind, code, _, _]) = frame.read_within::<ICMP_LEN>(at, end) else {
        return packet.malformed_at(Layer::Transport);
    };
    packet.icmp = [kind, code];
    packet
}
