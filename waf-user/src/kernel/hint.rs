//! Listed prefixes -> the words of BLOCK_HINT. Several prefixes share a bit: it goes with the last of them. No map is
//! touched here.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use waf_common::address::Address;
use waf_common::block::ScopeKind;
use waf_common::hint::{CLASSES_V4, CLASSES_V6, Class, IN_USE_WORD, bit_of, class_v4, class_v6, in_use_bit};

const CLASSES: usize = CLASSES_V4.len() + CLASSES_V6.len();
const KINDS: usize = 3;

/// A bit of BLOCK_HINT that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flip {
    pub word: u32,
    pub mask: u64,
}

/// Which prefixes stand behind which bits. A writer sets bits before the entry comes and clears them after it went, so
/// that a crash between leaves a bit too many, which costs a look-up, and never one too few.
#[derive(Debug, Default)]
pub(super) struct HintBits {
    listed: HashSet<(u32, IpNet)>,
    prefixes_of_bit: HashMap<u32, u32>,
    /// By kind of scope, then by class.
    prefixes_of_class: [[u32; CLASSES]; KINDS],
}

impl HintBits {
    /// A scope and (canonical) prefix that comes; the bits to set. Nothing where it is there already.
    pub fn add(&mut self, scope: u32, prefix: IpNet) -> Vec<Flip> {
        if !self.listed.insert((scope, prefix)) {
            return Vec::new();
        }
        let (class, bit) = place(prefix);
        let mut flips = Vec::new();
        if let Some(bit) = bit {
            let prefixes = self.prefixes_of_bit.entry(bit).or_insert(0);
            if *prefixes == 0 {
                flips.push(flip_of(bit));
            }
            *prefixes += 1;
        }
        let kind = ScopeKind::of(scope);
        if let Some(prefixes) = self.prefixes_of(class, kind) {
            if *prefixes == 0 {
                flips.push(in_use(class, kind));
            }
            *prefixes += 1;
        }
        flips
    }

    /// A scope and prefix that went; the bits to clear.
    pub fn remove(&mut self, scope: u32, prefix: IpNet) -> Vec<Flip> {
        if !self.listed.remove(&(scope, prefix)) {
            return Vec::new();
        }
        let (class, bit) = place(prefix);
        let mut flips = Vec::new();
        let kind = ScopeKind::of(scope);
        if let Some(prefixes) = self.prefixes_of(class, kind) {
            *prefixes = prefixes.saturating_sub(1);
            if *prefixes == 0 {
                flips.push(in_use(class, kind));
            }
        }
        if let Some(bit) = bit
            && let Some(prefixes) = self.prefixes_of_bit.get_mut(&bit)
        {
            *prefixes = prefixes.saturating_sub(1);
            if *prefixes == 0 {
                self.prefixes_of_bit.remove(&bit);
                flips.push(flip_of(bit));
            }
        }
        flips
    }

    fn prefixes_of(&mut self, class: Class, kind: ScopeKind) -> Option<&mut u32> {
        self.prefixes_of_class.get_mut(kind as usize)?.get_mut(class.number as usize)
    }
}

/// Class of a prefix, and its bit where the class has bits.
fn place(prefix: IpNet) -> (Class, Option<u32>) {
    let class = match prefix {
        IpNet::V4(v4) => class_v4(v4.prefix_len()),
        IpNet::V6(v6) => class_v6(v6.prefix_len()),
    };
    let bit = (class.bits != 0).then(|| bit_of(class, &Address::from(prefix.network())));
    (class, bit)
}

fn flip_of(bit: u32) -> Flip {
    Flip { word: bit / u64::BITS, mask: 1 << (bit % u64::BITS) }
}

fn in_use(class: Class, kind: ScopeKind) -> Flip {
    Flip { word: IN_USE_WORD, mask: in_use_bit(class, kind) }
}

#[cfg(test)]
mod tests;
