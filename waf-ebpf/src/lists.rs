//! Steps 4 and 5: allow and block lists. A hint comes first, then blocks, and allows only where one matched: the answers
//! are those of the order allow > block, for less work per packet.

use core::ptr::read_volatile;

use aya_ebpf::btf_maps::lpm_trie::Key;
use waf_common::address::Address;
use waf_common::block::{
    BlockExactKey, BlockValue, EXACT_ADDRESS_BITS, EXACT_NETWORK_BITS, ListKey4, ListKey6, SCOPE_ADDRESS_BIT, SCOPE_BITS,
    SCOPE_NODE, scope_address,
};
use waf_common::flow::FlowKey;
use waf_common::outcome::Outcome;
use waf_common::packet::{PROTOCOL_TCP, Packet};
use waf_common::service::ServiceValue;

use crate::count::now_s;
use crate::hint;
use crate::maps::{ALLOW4, ALLOW6, BLOCK_EXACT, BLOCK4, BLOCK6, FLOWS};

/// The entry that refuses a source.
pub struct Hit {
    pub scope: u32,
    pub reason: u32,
    /// The flow's tenant on a shared address, or 0.
    pub flow_tenant: u32,
}

impl Hit {
    /// Worked out of the scope and not carried along: the verifier must see that it is a small number.
    #[inline(always)]
    pub fn outcome(&self) -> Outcome {
        match self.scope {
            SCOPE_NODE => Outcome::DropNode,
            scope if scope & SCOPE_ADDRESS_BIT != 0 => Outcome::DropAddress,
            _ => Outcome::DropTenant,
        }
    }

    pub const NONE: Self = Self { scope: 0, reason: 0, flow_tenant: 0 };
}

/// Hot: per packet. Whether some list may hold the source.
#[inline(always)]
pub fn may_refuse(packet: &Packet) -> bool {
    !hint::of(&packet.source).is_clear()
}

/// Hot: per packet whose source may be listed. Node, then address, then tenant; the node's allow skips all, a tenant's the
/// address's and its own. Whether it is refused, and then why.
#[inline(never)]
pub fn refusal(packet: &Packet, service: &ServiceValue, hit: &mut Hit) -> bool {
    let source = &packet.source;
    let now_s = now_s();
    let mut reason = 0;
    if blocked(source, SCOPE_NODE, now_s, &mut reason) {
        *hit = Hit { scope: SCOPE_NODE, reason, flow_tenant: 0 };
        return !allowed(source, SCOPE_NODE);
    }
    let tenant = if service.tenant == 0 { flow_tenant(packet) } else { service.tenant };
    let address = scope_address(service.address_id);
    if blocked(source, address, now_s, &mut reason) {
        *hit = Hit { scope: address, reason, flow_tenant: tenant };
    } else if tenant != 0 && blocked(source, tenant, now_s, &mut reason) {
        *hit = Hit { scope: tenant, reason, flow_tenant: tenant };
    } else {
        return false;
    }
    let tenant_allows = tenant != 0 && allowed(source, tenant);
    !tenant_allows && !allowed(source, SCOPE_NODE)
}

/// Whether a live entry of one scope holds the source, and its reason: the exact one before the prefixes that cover it.
#[inline(never)]
fn blocked(source: &Address, scope: u32, now_s: u32, reason: &mut u32) -> bool {
    let hint = hint::of(source);
    if hint.address {
        let key = BlockExactKey { scope, bits: EXACT_ADDRESS_BITS, addr: source.octets };
        if is_live(BLOCK_EXACT.get_ptr(key), now_s, reason) {
            return true;
        }
    }
    if hint.network {
        let mut addr = source.octets;
        addr[8..].fill(0);
        let key = BlockExactKey { scope, bits: EXACT_NETWORK_BITS, addr };
        if is_live(BLOCK_EXACT.get_ptr(key), now_s, reason) {
            return true;
        }
    }
    if !hint.trie {
        return false;
    }
    let found = match source.as_v4() {
        Some(addr) => BLOCK4.get(&Key::new(SCOPE_BITS + 32, ListKey4 { scope, addr })),
        None => BLOCK6.get(&Key::new(SCOPE_BITS + 128, ListKey6 { scope, addr: source.octets })),
    };
    is_live(found.map(|entry| &raw const *entry), now_s, reason)
}

/// Read through volatile pointers: the compiler would else load the fields of an entry that is not there and choose
/// afterwards, which the verifier refuses.
#[inline(always)]
fn is_live(entry: Option<*const BlockValue>, now_s: u32, reason: &mut u32) -> bool {
    let Some(entry) = entry else { return false };
    // SAFETY: map memory lives as long as the program runs; a writer replacing the entry meanwhile leaves old or new
    // fields, each valid.
    let (expires_s, entry_reason) =
        unsafe { (read_volatile(&raw const (*entry).expires_s), read_volatile(&raw const (*entry).reason)) };
    *reason = entry_reason;
    expires_s == 0 || now_s < expires_s
}

#[inline(never)]
fn allowed(source: &Address, scope: u32) -> bool {
    match source.as_v4() {
        Some(addr) => ALLOW4.get(&Key::new(SCOPE_BITS + 32, ListKey4 { scope, addr })).is_some(),
        None => ALLOW6.get(&Key::new(SCOPE_BITS + 128, ListKey6 { scope, addr: source.octets })).is_some(),
    }
}

/// The tenant of an established connection to a shared address, or 0. A SYN is asked for none: its four-tuple may be that
/// of a connection that is over.
#[inline(always)]
fn flow_tenant(packet: &Packet) -> u32 {
    if packet.protocol != PROTOCOL_TCP || packet.is_syn() {
        return 0;
    }
    let key = FlowKey {
        source: packet.source.octets,
        destination: packet.destination.octets,
        source_port: packet.source_port,
        destination_port: packet.destination_port,
    };
    // SAFETY: one word, copied at once.
    FLOWS.get_ptr(key).map_or(0, |value| unsafe { *value }.tenant)
}
