//! A bitmap that tells a source which no block list can hold from one that some list may hold, in one or two reads: a hint
//! says where to look, never what the answer is.
//!
//! Listed prefixes fall into classes by family and length. Each class hashes a fixed number of leading address bits into
//! one bit of BLOCK_HINT, whatever the scope. A word behind the bitmap says which classes have entries at all in which kind
//! of scope, so that an empty list costs one read; another says so of the allow lists.

use crate::address::Address;
use crate::block::ScopeKind;
use crate::limits::HINT_BITS;
use crate::steer::mix;

/// Words of the bitmap; BLOCK_HINT has [`HINT_ENTRIES`].
pub const HINT_WORDS: u32 = HINT_BITS / u64::BITS;
/// Index of the word whose bit [`in_use_bit`] says that a class has entries in a kind of scope.
pub const IN_USE_WORD: u32 = HINT_WORDS;
/// Index of the word whose bit [`allow_bit`] says that an allow list has entries in a kind of scope.
pub const ALLOW_WORD: u32 = HINT_WORDS + 1;
/// Entries of BLOCK_HINT.
pub const HINT_ENTRIES: u32 = HINT_WORDS + 2;
/// Bits of IN_USE_WORD and of a [`Hint`] for one kind of scope.
const KIND_BITS: u32 = 16;
/// The first bit of each kind of scope.
const EACH_KIND: u64 = 1 | 1 << KIND_BITS | 1 << (2 * KIND_BITS);

/// Which table holds the entries of a class; the number is its bit in a [`Hint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Table {
    /// BLOCK_EXACT, one address.
    Address,
    /// BLOCK_EXACT, an IPv4 /24 or an IPv6 /64.
    Network,
    /// BLOCK4 or BLOCK6.
    Trie,
}

/// Listed prefixes of some lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Bit in the word of classes in use.
    pub number: u32,
    /// Leading bits of the source that are hashed, in the 16-byte form; 0 = the class matches every source.
    pub bits: u32,
    pub table: Table,
}

const fn class(number: u32, bits: u32, table: Table) -> Class {
    Class { number, bits, table }
}

/// Classes of IPv4 prefixes, by length /32, /24, /25 to /31, /16 to /23, less.
pub const CLASSES_V4: [Class; 5] = [
    class(0, 128, Table::Address),
    class(1, 96 + 24, Table::Network),
    class(2, 96 + 24, Table::Trie),
    class(3, 96 + 16, Table::Trie),
    class(4, 0, Table::Trie),
];
/// Classes of IPv6 prefixes, by length /128, /64, /48 and more, /32 to /47, less.
pub const CLASSES_V6: [Class; 5] = [
    class(5, 128, Table::Address),
    class(6, 64, Table::Network),
    class(7, 48, Table::Trie),
    class(8, 32, Table::Trie),
    class(9, 0, Table::Trie),
];

/// The class of a listed IPv4 prefix.
pub const fn class_v4(prefix_len: u8) -> Class {
    let [host, network, long, middle, short] = CLASSES_V4;
    match prefix_len {
        32.. => host,
        24 => network,
        25..=31 => long,
        16..=23 => middle,
        _ => short,
    }
}

/// The class of a listed IPv6 prefix.
pub const fn class_v6(prefix_len: u8) -> Class {
    let [host, network, long, middle, short] = CLASSES_V6;
    match prefix_len {
        128.. => host,
        64 => network,
        48.. => long,
        32..=47 => middle,
        _ => short,
    }
}

/// The bit of a class and a kind of scope in IN_USE_WORD.
pub const fn in_use_bit(class: Class, kind: ScopeKind) -> u64 {
    1 << (class.number + kind as u32 * KIND_BITS)
}

/// Hot: per refused packet. The bit of a kind of scope and a family in ALLOW_WORD.
#[inline(always)]
pub const fn allow_bit(kind: ScopeKind, is_v4: bool) -> u64 {
    1 << (kind as u32 * 2 + is_v4 as u32)
}

/// Where a source may be listed: for each kind of scope one bit a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint(u64);

impl Hint {
    /// Hot: per packet. No list can hold the source.
    #[inline(always)]
    pub const fn is_clear(self) -> bool {
        self.0 == 0
    }

    /// Hot: per listed packet. No list of this kind of scope can hold the source.
    #[inline(always)]
    pub const fn is_clear_of(self, kind: ScopeKind) -> bool {
        self.0 >> (kind as u32 * KIND_BITS) & ((1 << KIND_BITS) - 1) == 0
    }

    /// Hot: per listed packet. A table may hold the source in this kind of scope.
    #[inline(always)]
    pub const fn points_to(self, kind: ScopeKind, table: Table) -> bool {
        self.0 & 1 << (kind as u32 * KIND_BITS + table as u32) != 0
    }
}

/// Hot: per packet. Reads the hint of a source; `word` gives a word of BLOCK_HINT.
#[inline(always)]
pub fn read(source: &Address, word: impl Fn(u32) -> u64) -> Hint {
    let in_use = word(IN_USE_WORD);
    if in_use == 0 {
        return Hint::default();
    }
    let probe = |found: u64, class: &Class| found | probe(*class, source, in_use, &word);
    if source.as_v4().is_some() {
        Hint(CLASSES_V4.iter().fold(0, probe))
    } else {
        Hint(CLASSES_V6.iter().fold(0, probe))
    }
}

#[inline(always)]
fn probe(class: Class, source: &Address, in_use: u64, word: &impl Fn(u32) -> u64) -> u64 {
    let kinds = in_use >> class.number & EACH_KIND;
    if kinds == 0 {
        return 0;
    }
    let found = class.bits == 0 || {
        let bit = bit_of(class, source);
        word(bit / u64::BITS) & (1 << (bit % u64::BITS)) != 0
    };
    if found { kinds << class.table as u32 } else { 0 }
}

/// Hot: per packet. The bit of an address's leading bits in one class.
#[inline(always)]
pub fn bit_of(class: Class, address: &Address) -> u32 {
    let mut hash = class.number.wrapping_mul(0x9e37_79b9);
    let mut word = if class.number < CLASSES_V6[0].number { 3 } else { 0 };
    // IPv4 lies in the last word of the mapped form; IPv6 counts from the front.
    while word < 4 {
        let first = word as u32 * 32;
        if first < class.bits {
            let kept = if class.bits - first >= 32 { 32 } else { class.bits - first };
            hash = mix(hash ^ (word_of(address, word) & (u32::MAX << (32 - kept))));
        }
        word += 1;
    }
    hash & (HINT_BITS - 1)
}

#[inline(always)]
fn word_of(address: &Address, word: usize) -> u32 {
    let at = word * 4;
    let o = &address.octets;
    u32::from_be_bytes([o[at], o[at + 1], o[at + 2], o[at + 3]])
}

#[cfg(test)]
mod tests;
