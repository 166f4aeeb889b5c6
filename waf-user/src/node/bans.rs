//! The node's table of bans: who is banned now, and what has run out. Where bans are enforced is not known here.

use std::collections::HashMap;

use ipnet::IpNet;

use crate::model::{Ban, BanScope, Mono};

/// The kernel's block list but for 16,384 entries, which are left to the lists of node.toml: an import of 100,000 prefixes
/// fits beside the bans of an attack.
pub const BANS_MAX: usize = 114_688;

/// The table holds [`BANS_MAX`] bans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node holds {BANS_MAX} bans already")]
pub struct Full;

/// All bans but those of node.toml; one per scope and prefix.
#[derive(Debug, Default)]
pub struct Bans {
    entries: HashMap<(BanScope, IpNet), Ban>,
}

impl Bans {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a ban, or replaces the one of the same scope and prefix.
    ///
    /// # Errors
    /// The table is full.
    pub fn add(&mut self, ban: Ban) -> Result<(), Full> {
        let key = (ban.scope, ban.prefix);
        if self.entries.len() >= BANS_MAX && !self.entries.contains_key(&key) {
            return Err(Full);
        }
        self.entries.insert(key, ban);
        Ok(())
    }

    pub fn remove(&mut self, scope: BanScope, prefix: IpNet) -> Option<Ban> {
        self.entries.remove(&(scope, prefix))
    }

    /// The live ban of exactly this scope and prefix.
    pub fn live(&self, scope: BanScope, prefix: IpNet, now: Mono) -> Option<&Ban> {
        self.entries.get(&(scope, prefix)).filter(|ban| ban.expires.is_none_or(|expires| now < expires))
    }

    /// Takes out what has run out.
    pub fn reap(&mut self, now: Mono) -> Vec<Ban> {
        let over = |ban: &Ban| ban.expires.is_some_and(|expires| expires <= now);
        let keys: Vec<_> = self.entries.iter().filter(|(_, ban)| over(ban)).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.entries.remove(key)).collect()
    }

    /// All bans, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Ban> {
        self.entries.values()
    }

    /// All bans, in the order of scope and prefix.
    pub fn list(&self) -> Vec<Ban> {
        let mut list: Vec<Ban> = self.entries.values().cloned().collect();
        list.sort_by_key(|ban| (ban.scope, ban.prefix));
        list
    }
}

#[cfg(test)]
mod tests;
