//! Samples of dropped packets for user space. A full ring loses the sample, never the packet's verdict.

use aya_ebpf::helpers::generated::{bpf_get_prandom_u32, bpf_ktime_get_ns};
use waf_common::packet::{Bytes, Packet};
use waf_common::report::Report;

use crate::bytes::Frame;
use crate::count::Exit;
use crate::maps::{CONFIG, EVENTS};
use crate::scratch::Scratch;

/// Hot: per dropped packet. Reports one in CONFIG's `event_sample`: the gaps between reports are random numbers with this
/// mean, so that a packet that is not reported costs no call, and no sender can keep out of the sample.
#[inline(always)]
pub fn drop(frame: &Frame, scratch: &mut Scratch, exit: &Exit) {
    let Some(config) = CONFIG.get(0) else { return };
    let every = config.event_sample;
    if every == 0 {
        return;
    }
    // An old gap may be of a rarer sample.
    let longest = every.saturating_mul(2) - 1;
    let left = scratch.until_report.min(longest);
    if left > 1 {
        scratch.until_report = left - 1;
        return;
    }
    // SAFETY: the helper takes nothing.
    scratch.until_report = 1 + unsafe { bpf_get_prandom_u32() } % longest;
    write(frame, &scratch.packet, exit, every);
}

#[inline(never)]
fn write(frame: &Frame, packet: &Packet, exit: &Exit, every: u32) {
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
