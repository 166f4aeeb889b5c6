//! IPv6 (RFC 8200): header, a bounded walk over extension headers, fragments.

use bytemuck::{Pod, Zeroable};

use super::{Bytes, Fragment, Kind, Layer, Packet, transport};
use crate::address::Address;
use crate::limits::IPV6_EXTENSIONS_MAX;

/// RFC 8200 §3, before the addresses.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Header {
    version_and_flow: [u8; 4],
    payload_len: [u8; 2],
    next: u8,
    _hop_limit: u8,
}

/// The rest of it; each as [`Address::words`].
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Addresses {
    source: [u64; 2],
    destination: [u64; 2],
}

/// RFC 8200 §4.5.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct FragmentHeader {
    next: u8,
    _reserved: u8,
    part: [u8; 2],
    _identification: [u8; 4],
}

/// What all other extension headers begin with (RFC 6564 §4).
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct ExtensionHeader {
    next: u8,
    len: u8,
}

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
pub fn parse<B: Bytes + ?Sized>(frame: &B, at: usize, packet: &mut Packet) -> Kind {
    let Some(header) = frame.read::<Header>(at) else { return Kind::Unaddressed(Layer::Network) };
    let Some(addresses) = frame.read::<Addresses>(at + size_of::<Header>()) else {
        return Kind::Unaddressed(Layer::Network);
    };
    if header.version_and_flow[0] >> 4 != 6 {
        return Kind::Unaddressed(Layer::Network);
    }
    let Addresses { source, destination } = addresses;
    packet.begin(Address::from_words(source), Address::from_words(destination), header.next);

    let start = at + size_of::<Header>() + size_of::<Addresses>();
    // A payload length of 0 (a jumbogram, RFC 2675, or a lie) leaves no room for any header below: malformed there.
    let end = start + usize::from(u16::from_be_bytes(header.payload_len));
    if end > frame.len() {
        packet.malformed = Some(Layer::Network);
        return Kind::Ip;
    }
    extensions(frame, packet, header.next, start, end);
    Kind::Ip
}

/// Walks the extension headers from `at` to the transport header.
#[inline(always)]
fn extensions<B: Bytes + ?Sized>(
    frame: &B,
    packet: &mut Packet,
    mut protocol: u8,
    mut at: usize,
    end: usize,
) {
    let mut is_first = false;
    for walked in 0..=IPV6_EXTENSIONS_MAX {
        packet.protocol = protocol;
        packet.transport_offset = at as u16;
        let is_fragment = protocol == FRAGMENT;
        if !is_fragment && !is_extension(protocol) {
            return transport::parse(frame, packet, protocol, is_first, at, end);
        }
        if walked == IPV6_EXTENSIONS_MAX {
            break;
        }
        if is_fragment {
            let Some(header) = frame.read_within::<FragmentHeader>(at, end) else { break };
            protocol = header.next;
            at += size_of::<FragmentHeader>();
            let part = u16::from_be_bytes(header.part);
            if part >> 3 != 0 {
                packet.fragment = Fragment::Later;
                packet.protocol = protocol;
                packet.transport_offset = at as u16;
                return;
            }
            if part & 1 != 0 {
                is_first = true;
                packet.fragment = Fragment::First;
            }
            continue;
        }
        let Some(header) = frame.read_within::<ExtensionHeader>(at, end) else { break };
        // RFC 4302 §2.2 counts in words of 4 octets less 2; all others (RFC 6564) in 8 octets less 1.
        let len = usize::from(header.len);
        at += if protocol == AUTHENTICATION { (len + 2) * 4 } else { (len + 1) * 8 };
        if at > end {
            break;
        }
        protocol = header.next;
    }
    packet.malformed = Some(Layer::Extension);
}

#[inline(always)]
fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        HOP_BY_HOP | ROUTING | AUTHENTICATION | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY | SHIM6
    )
}
