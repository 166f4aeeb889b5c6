//! Block entries -> what lies in the tries. A trie answers with the longest match only, so a short-lived /32 would hide a
//! longer-lived /24 of the same scope, and an expired one would let its source through. The node is the only writer: it
//! keeps the entries here and writes each with its own expiry and with the latest of all entries that cover it, so that
//! its successor finds what was asked for. No map is touched here.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use waf_common::block::{BlockValue, COVERED_FOR_EVER, Reason};

use super::KernelError;
use super::keys::canonical;

/// One refusal of a source prefix in one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockEntry {
    /// 0 = node, `scope_address(id)`, or a tenant's number (see `waf_common::block`).
    pub scope: u32,
    pub prefix: IpNet,
    pub reason: Reason,
    /// The tenant whose rules or list made it; 0 = the node.
    pub tenant: u32,
    /// Monotonic second from which it no longer holds; 0 = never.
    pub expires_s: u32,
}

impl BlockEntry {
    /// 0 stands for never, which is later than all.
    fn lifetime(&self) -> u64 {
        lifetime(self.expires_s)
    }
}

fn lifetime(expires_s: u32) -> u64 {
    if expires_s == 0 { u64::MAX } else { u64::from(expires_s) }
}

/// What is to be written to a trie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    Set { scope: u32, prefix: IpNet, value: BlockValue },
    Remove { scope: u32, prefix: IpNet },
}

/// Entries of one key, one a reason at most.
type Slot = Vec<BlockEntry>;

/// All block entries of a node.
#[derive(Clone, Debug)]
pub struct Blocklist {
    entries: BTreeMap<(u32, IpNet), Slot>,
    keys_max: u32,
}

impl Blocklist {
    /// At most `keys_max` pairs of scope and prefix.
    pub fn new(keys_max: u32) -> Self {
        Self { entries: BTreeMap::new(), keys_max }
    }

    /// Takes an entry as it was found in a map, without a write.
    pub fn adopt(&mut self, entry: BlockEntry) {
        let entry = BlockEntry { prefix: canonical(entry.prefix), ..entry };
        self.slot(entry.scope, entry.prefix).push(entry);
    }

    /// Adds an entry; one of the same scope, prefix and reason is replaced.
    ///
    /// # Errors
    /// The list is full.
    pub fn insert(&mut self, entry: BlockEntry) -> Result<Vec<Write>, KernelError> {
        let entry = BlockEntry { prefix: canonical(entry.prefix), ..entry };
        let key = (entry.scope, entry.prefix);
        if !self.entries.contains_key(&key) && self.entries.len() >= self.keys_max as usize {
            return Err(KernelError::Full { max: self.keys_max });
        }
        let slot = self.slot(entry.scope, entry.prefix);
        slot.retain(|other| other.reason != entry.reason);
        slot.push(entry);
        Ok(self.values_below(key.0, key.1))
    }

    /// Makes the entries of one reason exactly these, and leaves all others. What goes makes room for what comes.
    ///
    /// # Errors
    /// The list would be full; nothing has changed then.
    pub fn replace(&mut self, reason: Reason, entries: &[BlockEntry]) -> Result<Vec<Write>, KernelError> {
        let mut keys: BTreeSet<(u32, IpNet)> =
            entries.iter().map(|entry| (entry.scope, canonical(entry.prefix))).collect();
        let stale: Vec<(u32, IpNet)> = self
            .iter()
            .filter(|entry| entry.reason == reason && !keys.contains(&(entry.scope, entry.prefix)))
            .map(|entry| (entry.scope, entry.prefix))
            .collect();
        keys.extend(
            self.iter().filter(|entry| entry.reason != reason).map(|entry| (entry.scope, entry.prefix)),
        );
        if keys.len() > self.keys_max as usize {
            return Err(KernelError::Full { max: self.keys_max });
        }
        let mut writes = Vec::new();
        for (scope, prefix) in stale {
            writes.extend(self.remove(scope, prefix, |entry| entry.reason == reason));
        }
        for entry in entries {
            writes.extend(self.insert(BlockEntry { reason, ..*entry })?);
        }
        Ok(writes)
    }

    /// Removes the entries of a key for which `is_gone` says so. Nothing to write where there are none.
    pub fn remove(&mut self, scope: u32, prefix: IpNet, is_gone: impl Fn(&BlockEntry) -> bool) -> Vec<Write> {
        let prefix = canonical(prefix);
        let Some(slot) = self.entries.get_mut(&(scope, prefix)) else { return Vec::new() };
        let before = slot.len();
        slot.retain(|entry| !is_gone(entry));
        if slot.len() == before {
            return Vec::new();
        }
        let mut writes = Vec::new();
        if slot.is_empty() {
            self.entries.remove(&(scope, prefix));
            writes.push(Write::Remove { scope, prefix });
        }
        writes.extend(self.values_below(scope, prefix));
        writes
    }

    /// Removes what has expired at `now_s`. What it covered is covered no longer by then: no other key needs a write.
    pub fn reap(&mut self, now_s: u32) -> Vec<Write> {
        let mut writes = Vec::new();
        self.entries.retain(|(scope, prefix), slot| {
            slot.retain(|entry| lifetime(entry.expires_s) > u64::from(now_s));
            if slot.is_empty() {
                writes.push(Write::Remove { scope: *scope, prefix: *prefix });
            }
            !slot.is_empty()
        });
        writes
    }

    /// The entries in the order of scope and prefix.
    pub fn iter(&self) -> impl Iterator<Item = &BlockEntry> {
        self.entries.values().flatten()
    }

    fn slot(&mut self, scope: u32, prefix: IpNet) -> &mut Slot {
        self.entries.entry((scope, prefix)).or_default()
    }

    /// The values of a key and of all keys that it covers: those are what a change of it touches.
    fn values_below(&self, scope: u32, prefix: IpNet) -> Vec<Write> {
        let first = (scope, prefix);
        // Ordered by address, then by length: what a prefix covers lies between it and the host of its last address.
        let last = (scope, IpNet::from(prefix.broadcast()));
        self.entries
            .range(first..=last)
            .filter(|((_, covered), _)| prefix.contains(covered))
            .filter_map(|((scope, covered), slot)| {
                let value = self.value(*scope, *covered, slot)?;
                Some(Write::Set { scope: *scope, prefix: *covered, value })
            })
            .collect()
    }

    /// The entry of a slot that lives longest, and how long those live that cover it (at most 32 or 128 keys).
    fn value(&self, scope: u32, prefix: IpNet, slot: &Slot) -> Option<BlockValue> {
        let own = slot.iter().max_by_key(|entry| entry.lifetime())?;
        let wider = std::iter::successors(prefix.supernet(), IpNet::supernet);
        let covering = wider.filter_map(|prefix| self.entries.get(&(scope, prefix))).flatten();
        let covered = covering.map(BlockEntry::lifetime).max().unwrap_or(0);
        Some(BlockValue {
            reason: own.reason as u32,
            expires_s: own.expires_s,
            tenant: own.tenant,
            covered_s: u32::try_from(covered).unwrap_or(COVERED_FOR_EVER),
        })
    }
}

#[cfg(test)]
mod tests;
