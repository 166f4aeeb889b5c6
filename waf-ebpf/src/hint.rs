//! Whether a source may be listed at all: one read where no list has an entry, a few where some do.

use waf_common::address::Address;
use waf_common::block::ScopeKind;
use waf_common::hint::{self, ALLOW_WORD, Hint, allow_bit};

use crate::maps::BLOCK_HINT;

/// Hot: per packet.
#[inline(always)]
pub fn of(source: &Address) -> Hint {
    hint::read(source, word)
}

/// Hot: per refused packet. Whether an allow list may hold the source.
#[inline(always)]
pub fn allows(source: &Address, kind: ScopeKind) -> bool {
    word(ALLOW_WORD) & allow_bit(kind, source.as_v4().is_some()) != 0
}

/// A word that is not there cannot be asked for; it would read as set, and cost a look-up.
#[inline(always)]
fn word(index: u32) -> u64 {
    BLOCK_HINT.get(index).copied().unwrap_or(u64::MAX)
}
