//! The block list in its four maps: single sources in BLOCK_EXACT, other prefixes in the tries, and BLOCK_HINT over all of
//! them. Keeps the real entries beside the effective ones; one writer, one copy of this.

use aya::maps::{Array, HashMap, LpmTrie, MapData};
use waf_common::block::{BlockExactKey, BlockValue, ListKey4, ListKey6, Reason};
use waf_common::hint::ALLOW_WORD;
use waf_common::limits::LIST_ENTRIES_MAX;
use waf_common::names;

use super::blocklist::Write;
use super::hint::{Flip, HintBits};
use super::keys::{self, BlockKey};
use super::maps::{absent_is_done, open, read, write};
use super::{BlockEntry, Blocklist, KernelError, Pins};

pub(super) struct BlockTables {
    pub exact: HashMap<MapData, BlockExactKey, BlockValue>,
    pub trie4: LpmTrie<MapData, ListKey4, BlockValue>,
    pub trie6: LpmTrie<MapData, ListKey6, BlockValue>,
    hint: Array<MapData, u64>,
    bits: HintBits,
    pub list: Blocklist,
}

impl BlockTables {
    /// Adopts what lies in the maps; writes nothing.
    pub fn open(pins: &Pins) -> Result<Self, KernelError> {
        let mut tables = Self {
            exact: open(pins, names::MAP_BLOCK_EXACT)?,
            trie4: open(pins, names::MAP_BLOCK4)?,
            trie6: open(pins, names::MAP_BLOCK6)?,
            hint: open(pins, names::MAP_BLOCK_HINT)?,
            bits: HintBits::default(),
            list: Blocklist::new(LIST_ENTRIES_MAX),
        };
        for entry in tables.entries()? {
            tables.bits.add(entry.scope, entry.prefix);
            tables.list.adopt(entry);
        }
        Ok(tables)
    }

    /// Brings the maps to what the list says.
    pub fn apply(&mut self, writes: &[Write]) -> Result<(), KernelError> {
        for change in writes {
            match *change {
                Write::Set { scope, prefix, value } => {
                    for flip in self.bits.add(scope, prefix) {
                        self.flip(flip, |word, mask| word | mask)?;
                    }
                    let (name, result) = match keys::block(scope, prefix) {
                        BlockKey::Exact(key) => (names::MAP_BLOCK_EXACT, self.exact.insert(key, value, 0)),
                        BlockKey::V4(key) => (names::MAP_BLOCK4, self.trie4.insert(&key, value, 0)),
                        BlockKey::V6(key) => (names::MAP_BLOCK6, self.trie6.insert(&key, value, 0)),
                    };
                    result.map_err(write(name))?;
                }
                Write::Remove { scope, prefix } => {
                    let (name, result) = match keys::block(scope, prefix) {
                        BlockKey::Exact(key) => (names::MAP_BLOCK_EXACT, self.exact.remove(&key)),
                        BlockKey::V4(key) => (names::MAP_BLOCK4, self.trie4.remove(&key)),
                        BlockKey::V6(key) => (names::MAP_BLOCK6, self.trie6.remove(&key)),
                    };
                    absent_is_done(result).map_err(write(name))?;
                    for flip in self.bits.remove(scope, prefix) {
                        self.flip(flip, |word, mask| word & !mask)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Changes the word that says where allow lists have entries: refused packets ask it first.
    pub fn set_allows(&mut self, change: impl Fn(u64) -> u64) -> Result<(), KernelError> {
        self.change(ALLOW_WORD, change)
    }

    fn flip(&mut self, Flip { word, mask }: Flip, change: fn(u64, u64) -> u64) -> Result<(), KernelError> {
        self.change(word, |old| change(old, mask))
    }

    fn change(&mut self, word: u32, change: impl Fn(u64) -> u64) -> Result<(), KernelError> {
        let name = names::MAP_BLOCK_HINT;
        let old = self.hint.get(&word, 0).map_err(read(name))?;
        self.hint.set(word, change(old), 0).map_err(write(name))
    }

    /// What lies in the maps; entries that no version of ours wrote are left alone.
    fn entries(&self) -> Result<Vec<BlockEntry>, KernelError> {
        let mut entries = Vec::new();
        for pair in self.exact.iter() {
            let (key, value) = pair.map_err(read(names::MAP_BLOCK_EXACT))?;
            entries.extend(keys::from_exact(&key).and_then(|at| block_entry(at, value)));
        }
        for pair in self.trie4.iter() {
            let (key, value) = pair.map_err(read(names::MAP_BLOCK4))?;
            entries.extend(keys::from_list4(&key).and_then(|at| block_entry(at, value)));
        }
        for pair in self.trie6.iter() {
            let (key, value) = pair.map_err(read(names::MAP_BLOCK6))?;
            entries.extend(keys::from_list6(&key).and_then(|at| block_entry(at, value)));
        }
        Ok(entries)
    }
}

fn block_entry((scope, prefix): (u32, ipnet::IpNet), value: BlockValue) -> Option<BlockEntry> {
    let BlockValue { reason, expires_s, tenant, covered_s: _ } = value;
    Some(BlockEntry { scope, prefix, reason: Reason::from_number(reason)?, tenant, expires_s })
}
