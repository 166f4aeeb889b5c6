//! Samples of dropped packets for user space. A full ring loses the sample, never the packet's verdict.

use aya_ebpf::helpers::generated::{bpf_get_prandom_u32, bpf_ktime_get_ns};
use waf_common::packet::{Bytes, Packet};
use waf_common::report::Report;

use crate::bytes::Frame;
use crate::count::Exit;
use crate::maps::{CONFIG, EVENTS};

/// Hot: per dropped packet. Reports one in CONFIG's `event_sample`.
#[inline(never)]
pub fn sample(frame: &Frame, packet: &Packet, exit: &Exit) {
    let Some(config) = CONFIG.get(0) else { return };
    let every = config.event_sample;
    // SAFETY: the helper takes nothing.
    if every == 0 || (every > 1 && unsafe { bpf_get_prandom_u32() } % every != 0) {
        return;
    }
    let Some(mut entry) = EVENTS.reserve_untyped::<Report>(0) else { return };
    entry.write(Report {
        // SAFETY: the helper takes nothing and reads a clock.
        time_ns: unsafe { bpf_ktime_get_ns() },
        source: packet.source.octets,
        destination: packet.destination.octets,
        outcome: exit.outcome as u32,
        scope: exit.scope,
        reason: exit.reason,
        tenant: exit.tenant,
        packet_len: frame.len() as u32,
        sample: every,
        source_port: packet.source_port,
        destination_port: packet.destination_port,
        protocol: packet.protocol,
        _pad: [0; 3],
    });
    entry.submit(0);
}
