//! Steps 4 and 5: allow and block lists. A hint comes first, then blocks, and allows only where one matched: the answers
//! are those of the order allow > block, for less work per packet.

use aya_ebpf::btf_maps::lpm_trie::Key;
use waf_common::address::Address;
use waf_common::block::{
    BlockExactKey, BlockValue, EXACT_ADDRESS_BITS, EXACT_NETWORK_BITS, ListKey4, ListKey6, SCOPE_BITS,
    SCOPE_NODE, scope_address,
};
use waf_common::flow::FlowKey;
use waf_common::hint::Hint;
use waf_common::outcome::Outcome;
use waf_common::packet::{PROTOCOL_TCP, Packet};
use waf_common::service::ServiceValue;

use crate::count::now_s;
use crate::hint;
use crate::maps::{ALLOW4, ALLOW6, BLOCK_EXACT, BLOCK4, BLOCK6, FLOWS};

/// The entry that refuses a source.
pub struct Hit {
    pub outcome: Outcome,
    pub scope: u32,
    pub reason: u32,
    /// The flow's tenant on a shared address, or 0.
    pub flow_tenant: u32,
}

/// Hot: per packet. Node, then address, then tenant; the node's allow skips all, a tenant's the address's and its own.
#[inline(always)]
pub fn refusal(packet: &Packet, service: &ServiceValue) -> Option<Hit> {
    let source = &packet.source;
    let hint = hint::of(source);
    if hint.is_clear() {
        return None;
    }
    let now_s = now_s();
    if let Some(entry) = blocked(source, hint, SCOPE_NODE, now_s) {
        if allowed(source, SCOPE_NODE) {
            return None;
        }
        return Some(Hit {
            outcome: Outcome::DropNode,
            scope: SCOPE_NODE,
            reason: entry.reason,
            flow_tenant: 0,
        });
    }
    let tenant = if service.tenant == 0 { flow_tenant(packet) } else { service.tenant };
    let scope = scope_address(service.address_id);
    let hit = match blocked(source, hint, scope, now_s) {
        Some(entry) => {
            Hit { outcome: Outcome::DropAddress, scope, reason: entry.reason, flow_tenant: tenant }
        }
        None if tenant == 0 => return None,
        None => {
            let entry = blocked(source, hint, tenant, now_s)?;
            Hit { outcome: Outcome::DropTenant, scope: tenant, reason: entry.reason, flow_tenant: tenant }
        }
    };
    let tenant_allows = tenant != 0 && allowed(source, tenant);
    if tenant_allows || allowed(source, SCOPE_NODE) { None } else { Some(hit) }
}

/// The live entry of one scope: the exact one before the prefixes that cover it.
#[inline(always)]
fn blocked(source: &Address, hint: Hint, scope: u32, now_s: u32) -> Option<BlockValue> {
    let mut entry = None;
    if hint.address {
        entry = exact(BlockExactKey { scope, bits: EXACT_ADDRESS_BITS, addr: source.octets }, now_s);
    }
    if hint.network && entry.is_none() {
        let mut addr = source.octets;
        addr[8..].fill(0);
        entry = exact(BlockExactKey { scope, bits: EXACT_NETWORK_BITS, addr }, now_s);
    }
    if hint.trie && entry.is_none() {
        let found = match source.as_v4() {
            Some(addr) => BLOCK4.get(&Key::new(SCOPE_BITS + 32, ListKey4 { scope, addr })),
            None => BLOCK6.get(&Key::new(SCOPE_BITS + 128, ListKey6 { scope, addr: source.octets })),
        };
        entry = found.copied().filter(|entry| entry.is_live(now_s));
    }
    entry
}

#[inline(always)]
fn exact(key: BlockExactKey, now_s: u32) -> Option<BlockValue> {
    // SAFETY: the entry is copied at once; a writer replacing it meanwhile leaves old or new fields, each valid.
    BLOCK_EXACT.get_ptr(key).map(|entry| unsafe { *entry }).filter(|entry| entry.is_live(now_s))
}

#[inline(always)]
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
