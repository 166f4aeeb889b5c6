//! Where the packet that is being judged lies: a map's memory, one place a CPU.

use waf_common::packet::Packet;

use crate::maps::{SCRATCH, SCRATCH_WORDS};

const _: () = assert!(size_of::<Packet>() <= SCRATCH_WORDS * size_of::<u64>());
const _: () = assert!(align_of::<Packet>() <= align_of::<u64>());

/// Hot: per packet. What lies there is of no meaning before the parser wrote it. None never happens: the map has an entry 0.
#[inline(always)]
pub fn packet() -> Option<&'static mut Packet> {
    let words = SCRATCH.get_ptr_mut(0)?;
    let packet = words.cast::<Packet>();
    // SAFETY: large and aligned enough (asserted above), and always a packet: the zeros of a new map are one too, else it is
    // the one before, of which nothing is read until this one is written whole. This CPU's own, and programs on one CPU do
    // not interleave within a softirq.
    Some(unsafe { &mut *packet })
}
