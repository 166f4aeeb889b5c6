//! A bitmap that tells a source which no block list can hold from one that some list may hold, in one or two reads.
//! Scopes are not told apart: a hint says where to look, never what the answer is.
//!
//! Listed prefixes fall into classes by family and length. Each class hashes a fixed number of leading address bits into
//! one bit of BLOCK_HINT; its last word says which classes have entries at all, so that an empty list costs one read.

use crate::address::Address;
use crate::limits::HINT_BITS;
use crate::steer::mix;

/// Words of the bitmap; BLOCK_HINT has one more, [`IN_USE_WORD`].
pub const HINT_WORDS: u32 = HINT_BITS / u64::BITS;
/// Index of the word whose bit n says that class n has entries.
pub const IN_USE_WORD: u32 = HINT_WORDS;

/// Which table holds the entries of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// BLOCK_EXACT, one address.
    Address,
    /// BLOCK_EXACT, an IPv6 /64.
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

/// Classes of IPv4 prefixes, by length /32, /24 to /31, /16 to /23, less.
pub const CLASSES_V4: [Class; 4] = [
    class(0, 128, Table::Address),
    class(1, 96 + 24, Table::Trie),
    class(2, 96 + 16, Table::Trie),
    class(3, 0, Table::Trie),
];
/// Classes of IPv6 prefixes, by length /128, /64, /48 and more, /32 to /47, less.
pub const CLASSES_V6: [Class; 5] = [
    class(4, 128, Table::Address),
    class(5, 64, Table::Network),
    class(6, 48, Table::Trie),
    class(7, 32, Table::Trie),
    class(8, 0, Table::Trie),
];

/// The class of a listed IPv4 prefix.
pub const fn class_v4(prefix_len: u8) -> Class {
    let [host, long, middle, short] = CLASSES_V4;
    match prefix_len {
        32.. => host,
        24..=31 => long,
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

/// Where a source may be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    pub address: bool,
    pub network: bool,
    pub trie: bool,
}

impl Hint {
    /// One bit a table.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        self.address as u32 | (self.network as u32) << 1 | (self.trie as u32) << 2
    }

    /// What [`Hint::bits`] made.
    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self { address: bits & 1 != 0, network: bits & 2 != 0, trie: bits & 4 != 0 }
    }

    /// Hot: per packet. No list can hold the source.
    #[inline(always)]
    pub const fn is_clear(self) -> bool {
        !(self.address || self.network || self.trie)
    }
}

/// Hot: per packet. Reads the hint of a source; `word` gives a word of BLOCK_HINT.
#[inline(always)]
pub fn read(source: &Address, word: impl Fn(u32) -> u64) -> Hint {
    let in_use = word(IN_USE_WORD);
    let mut hint = Hint::default();
    if in_use == 0 {
        return hint;
    }
    if source.as_v4().is_some() {
        CLASSES_V4.iter().for_each(|class| probe(*class, source, in_use, &word, &mut hint));
    } else {
        CLASSES_V6.iter().for_each(|class| probe(*class, source, in_use, &word, &mut hint));
    }
    hint
}

#[inline(always)]
fn probe(class: Class, source: &Address, in_use: u64, word: &impl Fn(u32) -> u64, hint: &mut Hint) {
    if in_use & (1 << class.number) == 0 {
        return;
    }
    let found = class.bits == 0 || {
        let bit = bit_of(class, source);
        word(bit / u64::BITS) & (1 << (bit % u64::BITS)) != 0
    };
    if found {
        match class.table {
            Table::Address => hint.address = true,
            Table::Network => hint.network = true,
            Table::Trie => hint.trie = true,
        }
    }
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
