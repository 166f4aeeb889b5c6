//! Whether a source may be listed at all: one read where no list has an entry, a few where some do.

use waf_common::address::Address;
use waf_common::hint::{self, Hint};

use crate::maps::BLOCK_HINT;

/// Hot: per packet. A word that is not there cannot be asked for; it would read as set, and cost a look-up.
#[inline(always)]
pub fn of(source: &Address) -> Hint {
    Hint::from_bits(bits(source))
}

/// A function of its own gives back one register.
#[inline(never)]
fn bits(source: &Address) -> u32 {
    hint::read(source, |word| BLOCK_HINT.get(word).copied().unwrap_or(u64::MAX)).bits()
}
