//! A parse as it lies in a map, for the test that compares the kernel half's parse with the host's, field by field.

use super::{Fragment, Layer, Parsed};
use crate::abi::abi_type;

abi_type! {
    /// The one entry of PARSED. 52 bytes; written by waf_parse, read by the test. Fields that a frame has not are 0.
    pub struct ParsedFrame: 52 {
        /// 1 = not IP, 2 = malformed before the destination is known, 3 = IP.
        pub kind: u32,
        /// 0 = sound, else 1 + the number of the [`Layer`] that is malformed.
        pub malformed: u32,
        pub source: [u8; 16],
        pub destination: [u8; 16],
        pub source_port: u16,
        pub destination_port: u16,
        pub transport_offset: u16,
        pub icmp: [u8; 2],
        pub protocol: u8,
        pub tcp_flags: u8,
        /// Number of the [`Fragment`].
        pub fragment: u8,
        pub _pad: u8,
    }
}

const NONE: ParsedFrame = ParsedFrame {
    kind: 1,
    malformed: 0,
    source: [0; 16],
    destination: [0; 16],
    source_port: 0,
    destination_port: 0,
    transport_offset: 0,
    icmp: [0; 2],
    protocol: 0,
    tcp_flags: 0,
    fragment: 0,
    _pad: 0,
};

impl From<Parsed> for ParsedFrame {
    #[inline(always)]
    fn from(parsed: Parsed) -> Self {
        match parsed {
            Parsed::NotIp => NONE,
            Parsed::Unaddressed(layer) => Self { kind: 2, malformed: layer_number(Some(layer)), ..NONE },
            Parsed::Ip(packet) => Self {
                kind: 3,
                malformed: layer_number(packet.malformed),
                source: packet.source.octets,
                destination: packet.destination.octets,
                source_port: packet.source_port,
                destination_port: packet.destination_port,
                transport_offset: packet.transport_offset,
                icmp: packet.icmp,
                protocol: packet.protocol,
                tcp_flags: packet.tcp_flags,
                fragment: match packet.fragment {
                    Fragment::Whole => 0,
                    Fragment::First => 1,
                    Fragment::Later => 2,
                },
                _pad: 0,
            },
        }
    }
}

#[inline(always)]
fn layer_number(layer: Option<Layer>) -> u32 {
    match layer {
        None => 0,
        Some(Layer::Link) => 1,
        Some(Layer::Network) => 2,
        Some(Layer::Extension) => 3,
        Some(Layer::Transport) => 4,
    }
}
