//! Steps 4 and 5: allow and block lists. Blocks are looked up first and allows only where one matched: the answers are
//! those of the order allow > block, for less work per packet.

use aya_ebpf::btf_maps::lpm_trie::Key;
use waf_common::address::Address;
use waf_common::block::{BlockValue, ListKey4, ListKey6, SCOPE_BITS, SCOPE_NODE, scope_address};
use waf_common::outcome::Outcome;
use waf_common::service::ServiceValue;

use crate::maps::{ALLOW4, ALLOW6, BLOCK4, BLOCK6};

/// The entry that refuses a source.
pub struct Hit {
    pub outcome: Outcome,
    pub scope: u32,
    pub reason: u32,
}

/// Hot: per packet. Node, then address, then tenant; the node's allow skips all, a tenant's the address's and its own.
#[inline(always)]
pub fn refusal(source: &Address, service: &ServiceValue, now_s: u32) -> Option<Hit> {
    if let Some(entry) = blocked(source, SCOPE_NODE, now_s) {
        if allowed(source, SCOPE_NODE) {
            return None;
        }
        return Some(Hit { outcome: Outcome::DropNode, scope: SCOPE_NODE, reason: entry.reason });
    }
    let scope = scope_address(service.address_id);
    let hit = match blocked(source, scope, now_s) {
        Some(entry) => Hit { outcome: Outcome::DropAddress, scope, reason: entry.reason },
        None if service.tenant == 0 => return None,
        None => {
            let entry = blocked(source, service.tenant, now_s)?;
            Hit { outcome: Outcome::DropTenant, scope: service.tenant, reason: entry.reason }
        }
    };
    let tenant_allows = service.tenant != 0 && allowed(source, service.tenant);
    if tenant_allows || allowed(source, SCOPE_NODE) { None } else { Some(hit) }
}

/// The live entry of one scope.
#[inline(always)]
fn blocked(source: &Address, scope: u32, now_s: u32) -> Option<BlockValue> {
    let entry = match source.as_v4() {
        Some(addr) => BLOCK4.get(&Key::new(SCOPE_BITS + 32, ListKey4 { scope, addr })),
        None => BLOCK6.get(&Key::new(SCOPE_BITS + 128, ListKey6 { scope, addr: source.octets })),
    };
    entry.copied().filter(|entry| entry.is_live(now_s))
}

#[inline(always)]
fn allowed(source: &Address, scope: u32) -> bool {
    match source.as_v4() {
        Some(addr) => ALLOW4.get(&Key::new(SCOPE_BITS + 32, ListKey4 { scope, addr })).is_some(),
        None => ALLOW6.get(&Key::new(SCOPE_BITS + 128, ListKey6 { scope, addr: source.octets })).is_some(),
    }
}
