//! Memory for what is being judged: one place a CPU, in a map, and keys as they must lie on the stack.

use waf_common::packet::Packet;

use crate::maps::{SCRATCH, SCRATCH_WORDS};

const _: () = assert!(size_of::<Scratch>() <= SCRATCH_WORDS * size_of::<u64>());
const _: () = assert!(align_of::<Scratch>() <= align_of::<u64>());

/// One CPU's.
#[repr(C)]
pub struct Scratch {
    /// The packet that is being judged. What lies there is of no meaning before the parser wrote it.
    pub packet: Packet,
    /// Drops until the next one is reported.
    pub until_report: u32,
}

/// Hot: per packet. None never happens: the map has an entry 0.
#[inline(always)]
pub fn own() -> Option<&'static mut Scratch> {
    let scratch = SCRATCH.get_ptr_mut(0)?.cast::<Scratch>();
    // SAFETY: large and aligned enough (asserted above), and always valid: the zeros of a new map are a packet too, else it
    // is the one before, of which nothing is read until this one is written. This CPU's own, and programs on one CPU do not
    // interleave within a softirq.
    Some(unsafe { &mut *scratch })
}

/// A map key on the stack at an address where it may be written in words, as the kernel's hash reads it.
#[repr(C, align(8))]
pub struct Aligned<T>(pub T);
