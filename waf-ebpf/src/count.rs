//! The one way out of the filter: counts the outcome and the tenant's share, reports a sample of the drops.

use aya_ebpf::helpers::generated::bpf_ktime_get_coarse_ns;
use waf_common::outcome::Outcome;
use waf_common::packet::{Bytes, Packet};
use waf_common::service::ServiceValue;

use crate::bytes::Frame;
use crate::lists::Hit;
use crate::maps::{COUNTERS, TENANT_COUNTERS};
use crate::report;
use crate::scratch::Scratch;

const NS_PER_S: u64 = 1_000_000_000;

/// How a packet leaves, and whose it is.
pub struct Exit {
    pub outcome: Outcome,
    pub tenant: u32,
    /// The tenant's place in TENANT_COUNTERS, or 0.
    pub counters: u32,
    /// Scope and reason of the list entry that matched, or 0.
    pub scope: u32,
    pub reason: u32,
}

impl Exit {
    #[inline(always)]
    pub fn plain(outcome: Outcome) -> Self {
        Self { outcome, tenant: 0, counters: 0, scope: 0, reason: 0 }
    }

    #[inline(always)]
    pub fn served(service: &ServiceValue, outcome: Outcome) -> Self {
        Self { outcome, tenant: service.tenant, counters: service.counters, scope: 0, reason: 0 }
    }

    #[inline(always)]
    pub fn refused(service: &ServiceValue, hit: &Hit) -> Self {
        let Hit { scope, reason, flow } = *hit;
        let (tenant, counters) = match service.tenant {
            0 => (flow.tenant, flow.counters),
            tenant => (tenant, service.counters),
        };
        Self { outcome: hit.outcome(), tenant, counters, scope, reason }
    }
}

/// Hot: per packet. Every frame leaves here; returns the XDP action.
#[inline(always)]
pub fn leave(frame: &Frame, scratch: &mut Scratch, exit: &Exit) -> u32 {
    outcome(exit.outcome);
    let action = crate::action(exit.outcome);
    let dropped = action == aya_ebpf::bindings::xdp_action::XDP_DROP;
    if exit.counters != 0 {
        tenant(exit.counters, &scratch.packet, frame.len(), dropped);
    }
    if dropped {
        report::drop(frame, scratch, exit);
    }
    action
}

/// Hot: per packet and per connection.
#[inline(always)]
pub fn outcome(outcome: Outcome) {
    if let Some(counters) = COUNTERS.get_ptr_mut(0) {
        // SAFETY: this CPU's own slot, and programs on one CPU do not interleave within a softirq.
        if let Some(slot) = unsafe { &mut *counters }.slot_mut(outcome) {
            *slot += 1;
        }
    }
}

#[inline(always)]
fn tenant(place: u32, packet: &Packet, bytes: usize, dropped: bool) {
    if let Some(counters) = TENANT_COUNTERS.get_ptr_mut(place) {
        // SAFETY: this CPU's own slot, as above.
        let counters = unsafe { &mut *counters };
        counters.packets += 1;
        counters.bytes += bytes as u64;
        counters.drops += u64::from(dropped);
        counters.syns += u64::from(packet.is_syn());
    }
}

/// Seconds of CLOCK_MONOTONIC_COARSE: the clock that bans expire by.
#[inline(always)]
pub fn now_s() -> u32 {
    // SAFETY: the helper takes nothing and reads a clock.
    (unsafe { bpf_ktime_get_coarse_ns() } / NS_PER_S) as u32
}
