//! Step 3: whom a packet is for. Knows services and prefixes, nothing of sources.

use aya_ebpf::btf_maps::lpm_trie::Key;
use waf_common::address::{Address, PREFIX_ONLY_SERVICES, PrefixKey};
use waf_common::packet::{Fragment, PROTOCOL_TCP, PROTOCOL_UDP, Packet};
use waf_common::service::{ServiceKey, ServiceValue};

use crate::maps::{PREFIXES, SERVICES};
use crate::scratch::Aligned;

/// Whom a packet is for.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Destination {
    /// Not ours: the host's own traffic, whatever it is.
    Host,
    /// In a services-only prefix, but for none of its services.
    NoService,
    /// ICMP for an address of a prefix without any service.
    Prefix,
    /// For an address or prefix of ours, and malformed.
    Malformed,
    /// A service address, without a port: ICMP or a later fragment.
    Address,
    /// A service.
    Service,
}

impl Destination {
    /// Hot: per packet. Whether the packet would be let in as one of ours.
    #[inline(always)]
    pub fn is_served(self) -> bool {
        matches!(self, Self::Prefix | Self::Address | Self::Service)
    }
}

/// Hot: per packet. The exact service, then the address, then the prefix. `value` is that of the service or its address.
#[inline(always)]
pub fn destination(packet: &Packet, value: &mut ServiceValue) -> Destination {
    let later = matches!(packet.fragment, Fragment::Later);
    let has_ports = !later && matches!(packet.protocol, PROTOCOL_TCP | PROTOCOL_UDP);
    let sound = packet.malformed.is_none();
    let (port, protocol) =
        if sound && has_ports { (packet.destination_port, packet.protocol) } else { (0, 0) };
    let found = match find(&packet.destination, port, protocol) {
        Some(found) => {
            *value = found;
            true
        }
        None => false,
    };
    match (found, sound) {
        (true, false) => Destination::Malformed,
        (true, true) if has_ports => Destination::Service,
        (true, true) if later || packet.is_icmp() => Destination::Address,
        _ => without_service(packet),
    }
}

/// Hot: per packet and per connection.
#[inline(always)]
pub fn find(address: &Address, port: u16, protocol: u8) -> Option<ServiceValue> {
    let key = Aligned(ServiceKey::new(address, port, protocol));
    // SAFETY: the entry is copied at once; a writer replacing it meanwhile leaves old or new fields, each valid.
    SERVICES.get_ptr(&key.0).map(|value| unsafe { *value })
}

/// What holds for all addresses of a prefix.
#[inline(always)]
fn without_service(packet: &Packet) -> Destination {
    let key = Key::new(128, PrefixKey { addr: packet.destination.octets });
    let Some(prefix) = PREFIXES.get(&key) else { return Destination::Host };
    if packet.malformed.is_some() {
        Destination::Malformed
    } else if packet.is_icmp() {
        Destination::Prefix
    } else if prefix.flags & PREFIX_ONLY_SERVICES != 0 {
        Destination::NoService
    } else {
        Destination::Host
    }
}
