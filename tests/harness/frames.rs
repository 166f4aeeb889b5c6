//! Frames built field by field, for the parser's tables and for raw sockets; a test may then spoil what it likes. Header
//! checksums of IPv4 are right, those of transports are not made: no program of ours reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::vec;
use std::vec::Vec;

use proptest::prelude::{Strategy, any};
use proptest::prop_oneof;

pub const VLAN: u16 = 0x8100;
pub const PROVIDER_VLAN: u16 = 0x88a8;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMP: u8 = 1;
pub const ICMPV6: u8 = 58;

pub const SYN: u8 = 0x02;

/// Builds a frame of one IP packet.
#[derive(Clone, Debug)]
pub struct Frame {
    pub mac_destination: [u8; 6],
    pub mac_source: [u8; 6],
    /// Tag protocol and VLAN number, outermost first.
    pub tags: Vec<(u16, u16)>,
    pub source: IpAddr,
    pub destination: IpAddr,
    /// Bytes of IPv4 options (filled with NOP), a multiple of 4 up to 40.
    pub options: usize,
    /// IPv6 extension headers: protocol number and content behind its two first octets.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// Offset in units of 8 octets, and whether more follow. On IPv6 as a fragment header, last of the extensions.
    pub fragment: Option<(u16, bool)>,
    pub protocol: u8,
    /// Transport header and data.
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn new(source: IpAddr, destination: IpAddr, protocol: u8, payload: Vec<u8>) -> Self {
        Self {
            mac_destination: [2, 0, 0, 0, 0, 1],
            mac_source: [2, 0, 0, 0, 0, 2],
            tags: Vec::new(),
            source,
            destination,
            options: 0,
            extensions: Vec::new(),
            fragment: None,
            protocol,
            payload,
        }
    }

    /// A TCP segment without data.
    pub fn tcp(source: (IpAddr, u16), destination: (IpAddr, u16), flags: u8) -> Self {
        Self::new(source.0, destination.0, TCP, tcp_header(source.1, destination.1, flags))
    }

    /// A UDP datagram.
    pub fn udp(source: (IpAddr, u16), destination: (IpAddr, u16), data: &[u8]) -> Self {
        Self::new(source.0, destination.0, UDP, udp_header(source.1, destination.1, data))
    }

    /// An ICMP message of the addresses' family.
    pub fn icmp(source: IpAddr, destination: IpAddr, kind: u8, code: u8) -> Self {
        let protocol = if source.is_ipv4() { ICMP } else { ICMPV6 };
        Self::new(source, destination, protocol, vec![kind, code, 0, 0, 0, 0, 0, 0])
    }

    pub fn tag(mut self, protocol: u16, vlan: u16) -> Self {
        self.tags.push((protocol, vlan));
        self
    }

    pub fn options(mut self, bytes: usize) -> Self {
        self.options = bytes;
        self
    }

    /// Adds an extension header of `8 * words` octets.
    pub fn extension(mut self, protocol: u8, words: usize) -> Self {
        self.extensions.push((protocol, vec![0; words * 8 - 2]));
        self
    }

    pub fn fragment(mut self, offset: u16, more: bool) -> Self {
        self.fragment = Some((offset, more));
        self
    }

    /// Bytes from the frame's start to the IP header.
    pub fn network_offset(&self) -> usize {
        14 + 4 * self.tags.len()
    }

    /// Bytes from the frame's start to the transport header.
    pub fn transport_offset(&self) -> usize {
        let network = self.network_offset();
        match self.source {
            IpAddr::V4(_) => network + 20 + self.options,
            IpAddr::V6(_) => {
                let extensions: usize = self.extensions.iter().map(|(_, content)| content.len() + 2).sum();
                network + 40 + extensions + if self.fragment.is_some() { 8 } else { 0 }
            }
        }
    }

    pub fn build(&self) -> Vec<u8> {
        let mut frame = Vec::new();
        frame.extend(self.mac_destination);
        frame.extend(self.mac_source);
        for (protocol, vlan) in &self.tags {
            frame.extend(protocol.to_be_bytes());
            frame.extend(vlan.to_be_bytes());
        }
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                frame.extend(0x0800u16.to_be_bytes());
                self.ipv4(&mut frame, source, destination);
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                frame.extend(0x86ddu16.to_be_bytes());
                self.ipv6(&mut frame, source, destination);
            }
            _ => panic!("a frame has addresses of one family"),
        }
        frame.extend(&self.payload);
        frame
    }

    fn ipv4(&self, frame: &mut Vec<u8>, source: Ipv4Addr, destination: Ipv4Addr) {
        let header_len = 20 + self.options;
        let (offset, more) = self.fragment.unwrap_or((0, false));
        let mut header = vec![0x40 | (header_len / 4) as u8, 0];
        header.extend(((header_len + self.payload.len()) as u16).to_be_bytes());
        header.extend([0x12, 0x34]);
        header.extend((offset | if more { 0x2000 } else { 0 }).to_be_bytes());
        header.extend([64, self.protocol, 0, 0]);
        header.extend(source.octets());
        header.extend(destination.octets());
        header.resize(header_len, 1);
        let checksum = checksum(&header).to_be_bytes();
        header[10..12].copy_from_slice(&checksum);
        frame.extend(header);
    }

    fn ipv6(&self, frame: &mut Vec<u8>, source: Ipv6Addr, destination: Ipv6Addr) {
        const FRAGMENT: u8 = 44;
        let mut chain: Vec<(u8, Vec<u8>)> = self.extensions.clone();
        if let Some((offset, more)) = self.fragment {
            let part = (offset << 3) | u16::from(more);
            let [high, low] = part.to_be_bytes();
            chain.push((FRAGMENT, vec![high, low, 0, 0, 0x12, 0x34]));
        }
        let mut following: Vec<u8> = chain.iter().map(|(protocol, _)| *protocol).collect();
        following.push(self.protocol);

        let mut body = Vec::new();
        for ((protocol, content), next) in chain.iter().zip(following.iter().skip(1)) {
            // Authentication (51) counts words of 4 octets less 2, a fragment header has no length, others 8 less 1.
            let len = match *protocol {
                FRAGMENT => 0,
                51 => (content.len() + 2) / 4 - 2,
                _ => (content.len() + 2) / 8 - 1,
            };
            body.extend([*next, len as u8]);
            body.extend(content);
        }
        frame.extend([0x60, 0, 0, 0]);
        frame.extend(((body.len() + self.payload.len()) as u16).to_be_bytes());
        frame.extend([following.first().copied().unwrap_or(self.protocol), 64]);
        frame.extend(source.octets());
        frame.extend(destination.octets());
        frame.extend(body);
    }
}

/// A header of 20 octets.
pub fn tcp_header(source_port: u16, destination_port: u16, flags: u8) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(source_port.to_be_bytes());
    header.extend(destination_port.to_be_bytes());
    header.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    header
}

/// Header and data.
pub fn udp_header(source_port: u16, destination_port: u16, data: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(source_port.to_be_bytes());
    datagram.extend(destination_port.to_be_bytes());
    datagram.extend(((8 + data.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    datagram
}

/// Whole frames of both families: addresses, ports, flags, tags, options, extensions and first fragments drawn.
pub fn any_frame() -> impl Strategy<Value = Frame> {
    let addresses = prop_oneof![
        (any::<[u8; 4]>(), any::<[u8; 4]>()).prop_map(|(s, d)| (IpAddr::from(s), IpAddr::from(d))),
        (any::<[u8; 16]>(), any::<[u8; 16]>()).prop_map(|(s, d)| (IpAddr::from(s), IpAddr::from(d))),
    ];
    let shape = (0usize..=2, 0usize..=10, proptest::collection::vec(1usize..4, 0..5), any::<bool>());
    (addresses, any::<u16>(), any::<u16>(), any::<u8>(), any::<bool>(), shape).prop_map(
        |((s, d), from, to, flags, is_tcp, (tags, words, extensions, more))| {
            let mut frame = if is_tcp {
                Frame::tcp((s, from), (d, to), flags)
            } else {
                Frame::udp((s, from), (d, to), b"x")
            };
            frame.tags = (0..tags).map(|vlan| (VLAN, vlan as u16)).collect();
            if s.is_ipv4() {
                frame.options = words * 4;
            } else {
                frame = extensions.into_iter().fold(frame, |frame, words| frame.extension(60, words));
            }
            if more { frame.fragment(0, true) } else { frame }
        },
    )
}

/// RFC 1071.
fn checksum(header: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in header.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
