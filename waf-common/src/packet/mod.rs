//! Frame bytes to the facts that verdicts need. Plain safe Rust over [`Bytes`]; the kernel half runs the same code over
//! its packet pointers. It decides nothing: what is done with a malformed frame depends on whose address it is for.

mod bytes;
mod ipv4;
mod ipv6;
mod link;
mod record;
mod transport;

pub use bytes::Bytes;
pub use record::ParsedFrame;

use crate::address::Address;

/// IP protocol numbers (IANA "Assigned Internet Protocol Numbers").
pub const PROTOCOL_ICMP: u8 = 1;
pub const PROTOCOL_TCP: u8 = 6;
pub const PROTOCOL_UDP: u8 = 17;
pub const PROTOCOL_ICMPV6: u8 = 58;

/// Bits of [`Packet::tcp_flags`] (RFC 9293 §3.1).
pub const TCP_SYN: u8 = 0x02;
pub const TCP_RST: u8 = 0x04;
pub const TCP_ACK: u8 = 0x10;

/// Where a frame stops to make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Ethernet or its VLAN tags.
    Link,
    /// The IP header, or its lengths against the frame's.
    Network,
    /// IPv6 extension headers.
    Extension,
    /// TCP, UDP or ICMP.
    Transport,
}

/// Which part of a datagram a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// The whole of it (an IPv6 atomic fragment, RFC 6946, counts as that).
    Whole,
    /// The first part: ports are there, the rest is to come.
    First,
    /// A later part: no transport header.
    Later,
}

/// The facts of an IP packet whose destination is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub source: Address,
    pub destination: Address,
    /// Protocol of the payload, behind all extension headers.
    pub protocol: u8,
    /// Host byte order; 0 where there are none. For ICMP type and code stand in `icmp`.
    pub source_port: u16,
    pub destination_port: u16,
    /// `TCP_*` bits; 0 for other protocols.
    pub tcp_flags: u8,
    /// ICMP type and code, for [`PROTOCOL_ICMP`] and [`PROTOCOL_ICMPV6`].
    pub icmp: [u8; 2],
    pub fragment: Fragment,
    /// What makes no sense, if anything; ports and flags are then 0.
    pub malformed: Option<Layer>,
    /// Bytes from the start of the frame to the transport header.
    pub transport_offset: u16,
}

impl Packet {
    /// What is there before a frame is parsed.
    pub const UNKNOWN: Self = Self {
        source: Address { octets: [0; 16] },
        destination: Address { octets: [0; 16] },
        protocol: 0,
        source_port: 0,
        destination_port: 0,
        tcp_flags: 0,
        icmp: [0; 2],
        fragment: Fragment::Whole,
        malformed: None,
        transport_offset: 0,
    };

    /// A packet of which no more than its addresses is known. Field by field where it lies: a copy of the whole would read
    /// in words what was written in bytes.
    #[inline(always)]
    fn begin(&mut self, source: Address, destination: Address, protocol: u8) {
        self.source = source;
        self.destination = destination;
        self.protocol = protocol;
        self.source_port = 0;
        self.destination_port = 0;
        self.tcp_flags = 0;
        self.icmp = [0; 2];
        self.fragment = Fragment::Whole;
        self.malformed = None;
        self.transport_offset = 0;
    }

    /// Hot: per packet. ICMP of either family.
    #[inline(always)]
    pub fn is_icmp(&self) -> bool {
        self.protocol == PROTOCOL_ICMP || self.protocol == PROTOCOL_ICMPV6
    }

    /// Hot: per packet. ICMP without which IP does not work: errors (path MTU among them) and neighbour discovery.
    #[inline(always)]
    pub fn is_vital_icmp(&self) -> bool {
        if self.malformed.is_some() || !matches!(self.fragment, Fragment::Whole) {
            return false;
        }
        match self.protocol {
            // RFC 792: destination unreachable, time exceeded, parameter problem.
            PROTOCOL_ICMP => matches!(self.icmp, [3 | 11 | 12, _]),
            // RFC 4443: errors 1-4; RFC 4861: 133-137; RFC 3810: 130-132, 143.
            PROTOCOL_ICMPV6 => matches!(self.icmp, [1..=4 | 130..=137 | 143, _]),
            _ => false,
        }
    }

    /// Hot: per packet. A part of a datagram, also the first.
    #[inline(always)]
    pub fn is_fragment(&self) -> bool {
        !matches!(self.fragment, Fragment::Whole)
    }

    /// Hot: per packet. The first packet of a TCP connection.
    #[inline(always)]
    pub fn is_syn(&self) -> bool {
        self.tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST) == TCP_SYN
    }
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Neither IPv4 nor IPv6.
    NotIp,
    /// Malformed before its destination is known: nobody's packet.
    Unaddressed(Layer),
    Ip(Packet),
}

/// What a frame is, without the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    NotIp,
    Unaddressed(Layer),
    Ip,
}

/// Parses an Ethernet frame, as [`parse_into`].
pub fn parse<B: Bytes + ?Sized>(frame: &B) -> Parsed {
    let mut packet = Packet::UNKNOWN;
    match parse_into(frame, &mut packet) {
        Kind::NotIp => Parsed::NotIp,
        Kind::Unaddressed(layer) => Parsed::Unaddressed(layer),
        Kind::Ip => Parsed::Ip(packet),
    }
}

/// Hot: per packet. Parses an Ethernet frame; never panics, reads no byte twice and none behind
/// [`crate::limits::PARSE_BYTES_MAX`]. `packet` is written where the answer is [`Kind::Ip`].
#[inline(always)]
pub fn parse_into<B: Bytes + ?Sized>(frame: &B, packet: &mut Packet) -> Kind {
    let (ether_type, at) = match link::payload(frame) {
        Ok(payload) => payload,
        Err(layer) => return Kind::Unaddressed(layer),
    };
    match ether_type {
        link::ETHER_IPV4 => ipv4::parse(frame, at, packet),
        link::ETHER_IPV6 => ipv6::parse(frame, at, packet),
        _ => Kind::NotIp,
    }
}

#[cfg(test)]
#[path = "../../../tests/harness/frames.rs"]
mod frames;
#[cfg(test)]
mod tests;
