//! Records in this node's memory, bounded in number, in all and for each tenant. Sharded, so that tenants seldom wait for
//! each other.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Collections, Record, RecordKey};
use crate::engine::limits;

const SHARDS: usize = 16;

/// At most [`limits::RECORDS`] records, and of one tenant [`limits::RECORDS_OF_TENANT`]; past it new ones are not kept
/// until others end.
#[derive(Debug)]
pub struct MemoryCollections {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Shard {
    records: HashMap<RecordKey, Record>,
    /// Records of each tenant that has any.
    counts: HashMap<Arc<str>, usize>,
    /// When a full shard was looked through for ended records: not more often than once a second, whoever knocks.
    swept_s: u64,
}

impl Default for MemoryCollections {
    fn default() -> Self {
        let shards = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl MemoryCollections {
    fn shard(&self, key: &RecordKey) -> Option<&Mutex<Shard>> {
        let hash = self.hasher.hash_one(key);
        self.shards.get(usize::try_from(hash % SHARDS as u64).unwrap_or(0))
    }
}

impl Collections for MemoryCollections {
    fn load(&self, key: &RecordKey, now_s: u64) -> Option<Record> {
        let shard = self.shard(key)?.lock().unwrap_or_else(PoisonError::into_inner);
        shard.records.get(key).filter(|record| !record.is_over(now_s)).cloned()
    }

    fn update(&self, key: &RecordKey, now_s: u64, merge: &mut dyn FnMut(Option<Record>) -> Record) -> bool {
        let Some(shard) = self.shard(key) else { return false };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = shard.records.get_mut(key) {
            let present = std::mem::take(record);
            *record = merge(Some(present).filter(|record| !record.is_over(now_s)));
            return true;
        }
        if !shard.has_room(&key.tenant) {
            if shard.swept_s == now_s {
                return false;
            }
            shard.sweep(now_s);
            if !shard.has_room(&key.tenant) {
                return false;
            }
        }
        *shard.counts.entry(Arc::clone(&key.tenant)).or_default() += 1;
        shard.records.insert(key.clone(), merge(None));
        true
    }
}

impl Shard {
    fn has_room(&self, tenant: &str) -> bool {
        let own = self.counts.get(tenant).copied().unwrap_or(0);
        self.records.len() < limits::RECORDS / SHARDS && own < limits::RECORDS_OF_TENANT / SHARDS
    }

    /// Forgets what has ended. O(records of the shard).
    fn sweep(&mut self, now_s: u64) {
        self.swept_s = now_s;
        self.records.retain(|_, record| !record.is_over(now_s));
        self.counts.clear();
        for key in self.records.keys() {
            *self.counts.entry(Arc::clone(&key.tenant)).or_default() += 1;
        }
    }
}
