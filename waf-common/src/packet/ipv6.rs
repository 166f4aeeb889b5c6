//! IPv6 (RFC 8200): header, a bounded walk over extension headers, fragments.

use super::{Bytes, Fragment, Layer, Packet, Parsed, transport};
use crate::address::Address;
use crate::limits::IPV6_EXTENSIONS_MAX;

const HEADER_LEN: usize = 40;
const FRAGMENT_LEN: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// Hot: per packet. `at` is where the header begins.
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(frame: &B, at: usize) -> Parsed {
    let Some(header) = frame.read::<HEADER_LEN>(at) else { return Parsed::Unaddressed(Layer::Network) };
    let [first, _, _, _, len_high, len_low, next, _, addresses @ ..] = header;
    if first >> 4 != 6 {
        return Parsed::Unaddressed(Layer::Network);
    }
    let (source, destination) = split(addresses);
    let mut packet = Packet::between(source, destination);
    packet.protocol = next;

    let start = at + HEADER_LEN;
    // A payload length of 0 (a jumbogram, RFC 2675, or a lie) leaves no room for any header below: malformed there.
    let end = start + usize::from(u16::from_be_bytes([len_high, len_low]));
    if end > frame.len() {
        return Parsed::Ip(packet.malformed_at(Layer::Network));
    }
    Parsed::Ip(extensions(frame, packet, start, end))
}

#[inline(always)]
fn split(addresses: [u8; 32]) -> (Address, Address) {
    let (source, destination) = addresses.split_at(16);
    let address = |half: &[u8]| {
        let mut octets = [0; 16];
        octets.copy_from_slice(half);
        Address { octets }
    };
    (address(source), address(destination))
}

/// Walks the extension headers from `at` to the transport header.
#[inline(always)]
fn extensions<B: Bytes + ?Sized>(frame: &B, mut packet: Packet, mut at: usize, end: usize) -> Packet {
    for walked in 0..=IPV6_EXTENSIONS_MAX {
        packet.transport_offset = at as u16;
        let is_fragment = packet.protocol == FRAGMENT;
        if !is_fragment && !is_extension(packet.protocol) {
            return transport::parse(frame, packet, at, end);
        }
        if walked == IPV6_EXTENSIONS_MAX {
            break;
        }
        if is_fragment {
            let Some([next, _, high, low, ..]) = frame.read_within::<FRAGMENT_LEN>(at, end) else {
                return packet.malformed_at(Layer::Extension);
            };
            packet.protocol = next;
            at += FRAGMENT_LEN;
            packet.transport_offset = at as u16;
            let part = u16::from_be_bytes([high, low]);
            if part >> 3 != 0 {
                packet.fragment = Fragment::Later;
                return packet;
            }
            if part & 1 != 0 {
                packet.fragment = Fragment::First;
            }
            continue;
        }
        let Some([next, len]) = frame.read_within::<2>(at, end) else {
            return packet.malformed_at(Layer::Extension);
        };
        // RFC 4302 §2.2 counts in words of 4 octets less 2; all others (RFC 6564) in 8 octets less 1.
        let header_len = if packet.protocol == AUTHENTICATION {
            (usize::from(len) + 2) * 4
        } else {
            (usize::from(len) + 1) * 8
        };
        at += header_len;
        if at > end {
            return packet.malformed_at(Layer::Extension);
        }
        packet.protocol = next;
    }
    packet.malformed_at(Layer::Extension)
}

#[inline(always)]
fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        HOP_BY_HOP | ROUTING | AUTHENTICATION | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY | SHIM6
    )
}
