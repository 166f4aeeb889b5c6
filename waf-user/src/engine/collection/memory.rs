//! Records in this node's memory, bounded in number. Sharded, so that tenants seldom wait for each other.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use super::{Collections, Record, RecordKey};
use crate::engine::limits;

const SHARDS: usize = 16;

/// At most [`limits::RECORDS`] records; past it new ones are not kept until others end.
#[derive(Debug)]
pub struct MemoryCollections {
    shards: Vec<Mutex<HashMap<RecordKey, Record>>>,
    hasher: RandomState,
}

impl Default for MemoryCollections {
    fn default() -> Self {
        let shards = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl MemoryCollections {
    fn shard(&self, key: &RecordKey) -> Option<&Mutex<HashMap<RecordKey, Record>>> {
        let hash = self.hasher.hash_one(key);
        self.shards.get(usize::try_from(hash % 16).unwrap_or(0))
    }
}

impl Collections for MemoryCollections {
    fn load(&self, key: &RecordKey, now_s: u64) -> Option<Record> {
        let records = self.shard(key)?.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(key).filter(|record| !record.is_over(now_s)).cloned()
    }

    fn update(&self, key: &RecordKey, now_s: u64, merge: &mut dyn FnMut(Option<Record>) -> Record) -> bool {
        let Some(shard) = self.shard(key) else { return false };
        let mut records = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let present = records.remove(key).filter(|record| !record.is_over(now_s));
        if present.is_none() && records.len() >= limits::RECORDS / SHARDS {
            records.retain(|_, record| !record.is_over(now_s));
            if records.len() >= limits::RECORDS / SHARDS {
                return false;
            }
        }
        records.insert(key.clone(), merge(present));
        true
    }
}
