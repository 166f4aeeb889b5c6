//! Persistent collections (IP, GLOBAL, SESSION, USER, RESOURCE): records that outlive a transaction, with times at which
//! they and their variables expire. Where they are kept is behind [`Collections`]; the default is this node's memory.

mod memory;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::limits;
use super::variable::Variable;

pub use memory::MemoryCollections;

/// Which collection a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Global,
    Ip,
    Resource,
    Session,
    User,
}

impl Scope {
    /// Names are compared without case.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "global" => Some(Self::Global),
            "ip" => Some(Self::Ip),
            "resource" => Some(Self::Resource),
            "session" => Some(Self::Session),
            "user" => Some(Self::User),
            _ => None,
        }
    }

    /// The collection behind a variable.
    pub fn of(variable: Variable) -> Option<Self> {
        match variable {
            Variable::Global => Some(Self::Global),
            Variable::Ip => Some(Self::Ip),
            Variable::Resource => Some(Self::Resource),
            Variable::Session => Some(Self::Session),
            Variable::User => Some(Self::User),
            _ => None,
        }
    }
}

/// Whose record: tenants never see each other's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordKey {
    pub tenant: Arc<str>,
    pub scope: Scope,
    pub key: Vec<u8>,
}

/// Variables by lower-case name; times are seconds of Unix time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Variables that end.
    pub expires_s: BTreeMap<Vec<u8>, u64>,
    /// When the record as a whole ends.
    pub ends_s: u64,
    pub created_s: u64,
    pub updated_s: u64,
    pub updates: u64,
}

/// Where records are kept. Called on the way of a request: must not wait for another machine.
pub trait Collections: fmt::Debug + Send + Sync {
    /// The record, if there is one that has not ended.
    fn load(&self, key: &RecordKey, now_s: u64) -> Option<Record>;

    /// Puts what `merge` makes of the present record; nothing else may change it meanwhile. The answer is false where
    /// there is no room for a new one.
    fn update(&self, key: &RecordKey, now_s: u64, merge: &mut dyn FnMut(Option<Record>) -> Record) -> bool;
}

impl Record {
    pub fn is_over(&self, now_s: u64) -> bool {
        self.ends_s <= now_s
    }

    /// Forgets variables that have ended.
    pub fn expire(&mut self, now_s: u64) {
        let ended: Vec<Vec<u8>> =
            self.expires_s.iter().filter(|(_, end)| **end <= now_s).map(|(name, _)| name.clone()).collect();
        for name in ended {
            self.expires_s.remove(&name);
            self.values.remove(&name);
        }
    }
}

/// A record inside a transaction, with what it was when it was opened.
#[derive(Clone, Debug)]
pub struct OpenRecord {
    pub key: RecordKey,
    pub record: Record,
    before: Record,
    changed: bool,
}

impl OpenRecord {
    /// From the store, or a new one. `timeout_s`: SecCollectionTimeout.
    pub fn open(store: Option<&dyn Collections>, key: RecordKey, now_s: u64, timeout_s: u64) -> Self {
        let loaded = store.and_then(|store| store.load(&key, now_s)).map(|mut record| {
            record.expire(now_s);
            record
        });
        let is_new = loaded.is_none();
        let mut record = loaded.unwrap_or_else(|| Record {
            created_s: now_s,
            updated_s: now_s,
            ends_s: now_s + timeout_s,
            ..Record::default()
        });
        let minutes = (now_s.saturating_sub(record.created_s) / 60).max(1);
        for (name, value) in [
            ("is_new", u64::from(is_new)),
            ("timeout", timeout_s),
            ("create_time", record.created_s),
            ("last_update_time", record.updated_s),
            ("update_counter", record.updates),
            ("update_rate", record.updates / minutes),
        ] {
            record.values.insert(name.as_bytes().to_vec(), value.to_string().into_bytes());
        }
        record.values.insert(b"key".to_vec(), key.key.clone());
        Self { key, before: record.clone(), record, changed: false }
    }

    /// Sets a variable; a new name past the limit is ignored.
    pub fn set(&mut self, name: &[u8], value: Vec<u8>) {
        let room = self.record.values.len() < limits::RECORD_VARIABLES;
        if value.len() <= limits::RECORD_VALUE_BYTES && (room || self.record.values.contains_key(name)) {
            self.record.values.insert(name.to_vec(), value);
            self.changed = true;
        }
    }

    pub fn remove(&mut self, name: &[u8]) {
        self.changed |= self.record.values.remove(name).is_some();
        self.record.expires_s.remove(name);
    }

    /// The variable ends at a time.
    pub fn expire_at(&mut self, name: &[u8], at_s: u64) {
        if self.record.values.contains_key(name) {
            self.record.expires_s.insert(name.to_vec(), at_s);
            self.changed = true;
        }
    }

    /// When the record was last written.
    pub fn updated_s(&self) -> u64 {
        self.before.updated_s
    }

    /// Writes back what this transaction changed; counters that others changed meanwhile keep both changes.
    pub fn store(&self, store: &dyn Collections, now_s: u64, timeout_s: u64) -> bool {
        !self.changed
            || store.update(&self.key, now_s, &mut |present| {
                let mut merged = self.record.clone();
                if let Some(present) = &present {
                    self.merge(present, &mut merged);
                }
                merged.updates = present.map_or(0, |present| present.updates) + 1;
                (merged.updated_s, merged.ends_s) = (now_s, now_s + timeout_s);
                merged
            })
    }

    fn merge(&self, present: &Record, merged: &mut Record) {
        for (name, now) in &present.values {
            let before = self.before.values.get(name);
            match merged.values.get_mut(name) {
                Some(ours) if before == Some(ours) => ours.clone_from(now),
                Some(ours) => {
                    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
                    let start = before.map_or(Some(0), |before| number(before));
                    if let (Some(start), Some(mine), Some(theirs)) = (start, number(ours), number(now)) {
                        let sum = theirs.saturating_add(mine.saturating_sub(start));
                        *ours = sum.to_string().into_bytes();
                    }
                }
                None if before.is_none() => {
                    merged.values.insert(name.clone(), now.clone());
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
