//! Steps 4 and 5: allow and block lists. A hint comes first, then blocks, and allows only where one matched: the answers
//! are those of the order allow > block, for less work per packet.

use core::ptr::read_volatile;

use aya_ebpf::btf_maps::lpm_trie::Key;
use waf_common::address::Address;
use waf_common::block::{
    BlockExactKey, BlockValue, ListKey4, ListKey6, SCOPE_BITS, SCOPE_NODE, ScopeKind, scope_address,
};
use waf_common::flow::{FlowKey, FlowValue};
use waf_common::hint::{Hint, Table};
use waf_common::outcome::Outcome;
use waf_common::packet::{PROTOCOL_TCP, Packet};
use waf_common::service::ServiceValue;

use crate::count::now_s;
use crate::hint;
use crate::maps::{ALLOW4, ALLOW6, BLOCK_EXACT, BLOCK4, BLOCK6, FLOWS};
use crate::scratch::Aligned;

const NO_FLOW: FlowValue = FlowValue { tenant: 0, counters: 0 };

/// The entry that refuses a source.
pub struct Hit {
    pub scope: u32,
    pub reason: u32,
    /// Whose flow it is on a shared address.
    pub flow: FlowValue,
}

impl Hit {
    /// Worked out of the scope and not carried along: the verifier must see that it is a small number.
    #[inline(always)]
    pub fn outcome(&self) -> Outcome {
        match ScopeKind::of(self.scope) {
            ScopeKind::Node => Outcome::DropNode,
            ScopeKind::Address => Outcome::DropAddress,
            ScopeKind::Tenant => Outcome::DropTenant,
        }
    }

    pub const NONE: Self = Self { scope: 0, reason: 0, flow: NO_FLOW };
}

/// Hot: per packet whose source may be listed. Node, then address, then tenant; the node's allow skips all, a tenant's the
/// address's and its own. Whether it is refused, and then why.
#[inline(always)]
pub fn refusal(packet: &Packet, service: &ServiceValue, hint: Hint, hit: &mut Hit) -> bool {
    let source = &packet.source;
    match blocked(source, hint, SCOPE_NODE, ScopeKind::Node) {
        Some(reason) => {
            *hit = Hit { scope: SCOPE_NODE, reason, flow: NO_FLOW };
            !allowed(source, SCOPE_NODE, ScopeKind::Node)
        }
        None if hint.is_clear_of(ScopeKind::Address) && hint.is_clear_of(ScopeKind::Tenant) => false,
        None => narrow_refusal(packet, service, hint, hit),
    }
}

/// By the scopes of the address and the tenant. A function of its own: 512 bytes of stack hold the longest chain of calls,
/// not everything.
#[inline(never)]
fn narrow_refusal(packet: &Packet, service: &ServiceValue, hint: Hint, hit: &mut Hit) -> bool {
    let source = &packet.source;
    let flow = if service.tenant == 0 { flow_of(packet) } else { NO_FLOW };
    let tenant = if service.tenant == 0 { flow.tenant } else { service.tenant };
    let address = scope_address(service.address_id);
    if let Some(reason) = blocked(source, hint, address, ScopeKind::Address) {
        *hit = Hit { scope: address, reason, flow };
    } else if tenant != 0
        && let Some(reason) = blocked(source, hint, tenant, ScopeKind::Tenant)
    {
        *hit = Hit { scope: tenant, reason, flow };
    } else {
        return false;
    }
    let tenant_allows = tenant != 0 && allowed(source, tenant, ScopeKind::Tenant);
    !tenant_allows && !allowed(source, SCOPE_NODE, ScopeKind::Node)
}

/// The reason of a live entry of one scope for the source: the exact ones before the prefixes that cover it.
#[inline(always)]
fn blocked(source: &Address, hint: Hint, scope: u32, kind: ScopeKind) -> Option<u32> {
    if hint.points_to(kind, Table::Address) {
        let key = Aligned(BlockExactKey::address(scope, source));
        if let Some(reason) = live(BLOCK_EXACT.get_ptr(&key.0)) {
            return Some(reason);
        }
    }
    if hint.points_to(kind, Table::Network) {
        let key = Aligned(BlockExactKey::network(scope, source));
        if let Some(reason) = live(BLOCK_EXACT.get_ptr(&key.0)) {
            return Some(reason);
        }
    }
    if hint.points_to(kind, Table::Trie) { in_trie(source, scope) } else { None }
}

#[inline(always)]
fn in_trie(source: &Address, scope: u32) -> Option<u32> {
    let found = match source.as_v4() {
        Some(addr) => BLOCK4.get(&Key::new(SCOPE_BITS + 32, ListKey4 { scope, addr })),
        None => BLOCK6.get(&Key::new(SCOPE_BITS + 128, ListKey6 { scope, addr: source.octets })),
    };
    live(found.map(|entry| &raw const *entry))
}

/// The reason of an entry that is there and not expired. Read through volatile pointers: the compiler would else load the
/// fields of an entry that is not there and choose afterwards, which the verifier refuses. The clock is asked only where an
/// entry expires at all.
#[inline(always)]
fn live(entry: Option<*const BlockValue>) -> Option<u32> {
    let entry = entry?;
    // SAFETY: map memory lives as long as the program runs; a writer replacing the entry meanwhile leaves old or new
    // fields, each valid.
    let value = unsafe {
        BlockValue {
            reason: read_volatile(&raw const (*entry).reason),
            expires_s: read_volatile(&raw const (*entry).expires_s),
            tenant: 0,
            covered_s: read_volatile(&raw const (*entry).covered_s),
        }
    };
    if value.expires_s == 0 || value.is_live(now_s()) { Some(value.reason) } else { None }
}

#[inline(always)]
fn allowed(source: &Address, scope: u32, kind: ScopeKind) -> bool {
    hint::allows(source, kind) && in_allow_trie(source, scope)
}

#[inline(never)]
fn in_allow_trie(source: &Address, scope: u32) -> bool {
    match source.as_v4() {
        Some(addr) => ALLOW4.get(&Key::new(SCOPE_BITS + 32, ListKey4 { scope, addr })).is_some(),
        None => ALLOW6.get(&Key::new(SCOPE_BITS + 128, ListKey6 { scope, addr: source.octets })).is_some(),
    }
}

/// Whose an established connection to a shared address is. A SYN is asked for none: its four-tuple may be that of a
/// connection that is over.
#[inline(always)]
fn flow_of(packet: &Packet) -> FlowValue {
    if packet.protocol != PROTOCOL_TCP || packet.is_syn() {
        return NO_FLOW;
    }
    let key = Aligned(FlowKey {
        source: packet.source.octets,
        destination: packet.destination.octets,
        source_port: packet.source_port,
        destination_port: packet.destination_port,
    });
    // SAFETY: two words, copied at once.
    FLOWS.get_ptr(&key.0).map_or(NO_FLOW, |value| unsafe { *value })
}
