//! IPv4 (RFC 791): header, options, fragments.

use bytemuck::{Pod, Zeroable};

use super::{Bytes, Fragment, Kind, Layer, PROTOCOL_TCP, Packet, transport};
use crate::address::Address;

/// RFC 791 §3.1, without options.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Header {
    version_and_len: u8,
    _service: u8,
    total_len: [u8; 2],
    _identification: [u8; 2],
    part: [u8; 2],
    _time_to_live: u8,
    protocol: u8,
    _checksum: [u8; 2],
    source: [u8; 4],
    destination: [u8; 4],
}

const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_BITS: u16 = 0x1fff;

/// Hot: per packet. `at` is where the header begins.
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(frame: &B, at: usize, packet: &mut Packet) -> Kind {
    let Some(header) = frame.read::<Header>(at) else { return Kind::Unaddressed(Layer::Network) };
    if header.version_and_len >> 4 != 4 {
        return Kind::Unaddressed(Layer::Network);
    }
    packet.begin(Address::from_v4(header.source), Address::from_v4(header.destination), header.protocol);

    let header_len = usize::from(header.version_and_len & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes(header.total_len));
    let end = at + total_len;
    if header_len < size_of::<Header>() || total_len < header_len || end > frame.len() {
        packet.malformed = Some(Layer::Network);
        return Kind::Ip;
    }
    packet.transport_offset = (at + header_len) as u16;

    let part = u16::from_be_bytes(header.part);
    let offset = part & OFFSET_BITS;
    if offset != 0 {
        packet.fragment = Fragment::Later;
        // RFC 1858 §4: a TCP fragment at offset 1 can only be meant to overwrite the flags of the first.
        if offset == 1 && header.protocol == PROTOCOL_TCP {
            packet.malformed = Some(Layer::Network);
        }
        return Kind::Ip;
    }
    let is_first = part & MORE_FRAGMENTS != 0;
    if is_first {
        packet.fragment = Fragment::First;
    }
    transport::parse(frame, packet, header.protocol, is_first, at + header_len, end);
    Kind::Ip
}
