//! TCP, UDP and ICMP headers. Checksums are the stack's business; other protocols have nothing we read.

use bytemuck::{Pod, Zeroable};

use super::{Bytes, Layer, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP, Packet};

/// RFC 9293 §3.1, without options.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Tcp {
    source_port: [u8; 2],
    destination_port: [u8; 2],
    _numbers: [[u8; 4]; 2],
    offset: u8,
    flags: u8,
    _window: [u8; 2],
    _checksum: [u8; 2],
    _urgent: [u8; 2],
}

/// RFC 768.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Udp {
    source_port: [u8; 2],
    destination_port: [u8; 2],
    len: [u8; 2],
    _checksum: [u8; 2],
}

/// All that every ICMP message has (RFC 4443 §2.1).
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Icmp {
    kind_and_code: [u8; 2],
    _checksum: [u8; 2],
}

/// Hot: per packet. Adds what stands in the header at `at`; the datagram ends at `end`. `is_first` of its fragments.
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(
    frame: &B,
    packet: &mut Packet,
    protocol: u8,
    is_first: bool,
    at: usize,
    end: usize,
) {
    let is_sound = match protocol {
        PROTOCOL_TCP => tcp(frame, packet, at, end),
        PROTOCOL_UDP => udp(frame, packet, is_first, at, end),
        PROTOCOL_ICMP | PROTOCOL_ICMPV6 => icmp(frame, packet, at, end),
        _ => true,
    };
    if !is_sound {
        packet.malformed = Some(Layer::Transport);
    }
}

/// The whole header must be in the packet, also in a first fragment (RFC 1858 §3.1).
#[inline(always)]
fn tcp<B: Bytes + ?Sized>(frame: &B, packet: &mut Packet, at: usize, end: usize) -> bool {
    let Some(header) = frame.read_within::<Tcp>(at, end) else { return false };
    let header_len = usize::from(header.offset >> 4) * 4;
    if header_len < size_of::<Tcp>() || at + header_len > end {
        return false;
    }
    packet.source_port = u16::from_be_bytes(header.source_port);
    packet.destination_port = u16::from_be_bytes(header.destination_port);
    packet.tcp_flags = header.flags;
    true
}

/// The length of a first fragment is the whole datagram's.
#[inline(always)]
fn udp<B: Bytes + ?Sized>(frame: &B, packet: &mut Packet, is_first: bool, at: usize, end: usize) -> bool {
    let Some(header) = frame.read_within::<Udp>(at, end) else { return false };
    let len = usize::from(u16::from_be_bytes(header.len));
    if len < size_of::<Udp>() || (!is_first && at + len > end) {
        return false;
    }
    packet.source_port = u16::from_be_bytes(header.source_port);
    packet.destination_port = u16::from_be_bytes(header.destination_port);
    true
}

/// RFC 792, RFC 4443.
#[inline(always)]
fn icmp<B: Bytes + ?Sized>(frame: &B, packet: &mut Packet, at: usize, end: usize) -> bool {
    let Some(header) = frame.read_within::<Icmp>(at, end) else { return false };
    packet.icmp = header.kind_and_code;
    true
}
