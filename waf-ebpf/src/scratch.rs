//! Where the packet that is being judged lies: a map's memory, one place a CPU.

use waf_common::packet::Packet;

use crate::maps::{SCRATCH, SCRATCH_WORDS};

const _: () = assert!(size_of::<Packet>() <= SCRATCH_WORDS * size_of::<u64>());
const _: () = assert!(align_of::<Packet>() <= align_of::<u64>());

/// Hot: per packet. None never happens: the map has an entry 0.
#[inline(always)]
pub fn packet() -> Option<&'static mut Packet> {
    let words = SCRATCH.get_ptr_mut(0)?;
    let packet = words.cast::<Packet>();
    // SAFETY: large and aligned enough (asserted above); this CPU's own, and programs on one CPU do not interleave within
    // a softirq. A packet is written whole before any of it is read.
    unsafe {
        packet.write(Packet::UNKNOWN);
        Some(&mut *packet)
    }
}
