//! IPv4 (RFC 791): header, options, fragments.

use super::{Bytes, Fragment, Layer, PROTOCOL_TCP, Packet, Parsed, transport};
use crate::address::Address;

const HEADER_LEN: usize = 20;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_BITS: u16 = 0x1fff;

/// Hot: per packet. `at` is where the header begins.
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(frame: &B, at: usize) -> Parsed {
    let Some(header) = frame.read::<HEADER_LEN>(at) else { return Parsed::Unaddressed(Layer::Network) };
    let [first, _, len_high, len_low, _, _, part_high, part_low, _, protocol, _, _, addresses @ ..] = header;
    if first >> 4 != 4 {
        return Parsed::Unaddressed(Layer::Network);
    }
    let [s0, s1, s2, s3, d0, d1, d2, d3] = addresses;
    let mut packet = Packet::between(Address::from_v4([s0, s1, s2, s3]), Address::from_v4([d0, d1, d2, d3]));
    packet.protocol = protocol;

    let header_len = usize::from(first & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([len_high, len_low]));
    let end = at + total_len;
    if header_len < HEADER_LEN || total_len < header_len || end > frame.len() {
        return Parsed::Ip(packet.malformed_at(Layer::Network));
    }
    packet.transport_offset = (at + header_len) as u16;

    let part = u16::from_be_bytes([part_high, part_low]);
    let offset = part & OFFSET_BITS;
    if offset != 0 {
        packet.fragment = Fragment::Later;
        // RFC 1858 §4: a TCP fragment at offset 1 can only be meant to overwrite the flags of the first.
        if offset == 1 && protocol == PROTOCOL_TCP {
            packet = packet.malformed_at(Layer::Network);
        }
        return Parsed::Ip(packet);
    }
    if part & MORE_FRAGMENTS != 0 {
        packet.fragment = Fragment::First;
    }
    Parsed::Ip(transport::parse(frame, packet, at + header_len, end))
}
