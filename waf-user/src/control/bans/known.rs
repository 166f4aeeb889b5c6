//! What the store says, change by change -> all bans as of its last revision, and for how long back what changed. Written by
//! whoever follows the store alone, so that all processes pass through the same states in the same order.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;

use ipnet::{IpNet, Ipv4Net};

use super::entry::{Kept, ban_key, read};
use super::limits::HISTORY_LEN_MAX;
use crate::control::store::{Change, Changes, Entry, Listing, StoreError};
use crate::model::Wall;
use crate::model::sync::{BanKey, BanSource, FleetScope};

/// Bans and their recent history.
#[derive(Default)]
pub(super) struct Known {
    bans: BTreeMap<BanKey, Kept>,
    counts: HashMap<FleetScope, Count>,
    total: Count,
    /// The store's, that changed something here last, or was listed.
    revision: u64,
    /// What changed at which revision, the oldest first.
    history: VecDeque<(u64, BanKey)>,
    /// Of this revision and those before it the history tells nothing.
    floor: u64,
}

/// Bans of one scope or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub of_rules: usize,
    pub of_people: usize,
}

impl Count {
    fn of(&mut self, source: BanSource) -> &mut usize {
        match source {
            BanSource::Rules => &mut self.of_rules,
            BanSource::Operator | BanSource::Import => &mut self.of_people,
        }
    }
}

impl Known {
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn ban(&self, key: &BanKey) -> Option<&Kept> {
        self.bans.get(key)
    }

    pub fn total(&self) -> Count {
        self.total
    }

    pub fn count(&self, scope: FleetScope) -> Count {
        self.counts.get(&scope).copied().unwrap_or_default()
    }

    /// Those of one scope in the order of their prefixes.
    pub fn of_scope(&self, scope: FleetScope, after: Option<IpNet>) -> impl Iterator<Item = (IpNet, &Kept)> {
        let first = BanKey { scope, prefix: IpNet::V4(Ipv4Net::default()) };
        let from = after.map_or(Bound::Included(first), |prefix| Bound::Excluded(BanKey { scope, prefix }));
        let there = self.bans.range((from, Bound::Unbounded)).take_while(move |(key, _)| key.scope == scope);
        there.map(|(key, kept)| (key.prefix, kept))
    }

    /// Those that ran out before a moment. O(bans).
    pub fn over(&self, before: Wall) -> Vec<(BanKey, Kept)> {
        let over = self.bans.iter().filter(|(_, kept)| kept.terms.is_over(before));
        over.map(|(key, kept)| (*key, kept.clone())).collect()
    }

    /// Takes a listing in place of all that was known. The history begins anew: what came and went in between is not told by
    /// a listing, and a node may have heard of it from another process.
    pub fn list(&mut self, listing: Listing) {
        let revision = listing.revision.0;
        *self = Self::default();
        for (key, kept) in listing.entries.iter().filter_map(read_or_tell) {
            self.set(key, Some(kept), revision);
        }
        self.history.clear();
        (self.revision, self.floor) = (revision, revision);
    }

    /// Takes what one revision changed.
    pub fn change(&mut self, changes: Changes) {
        let revision = changes.revision.0;
        for change in changes.changes {
            match change {
                Change::Put(entry) => {
                    if let Some((key, kept)) = read_or_tell(&entry) {
                        self.set(key, Some(kept), revision);
                    }
                }
                Change::Deleted(key) => match ban_key(&key) {
                    Ok(key) => self.set(key, None, revision),
                    Err(error) => tell(&error),
                },
            }
        }
        self.revision = revision;
    }

    fn set(&mut self, key: BanKey, kept: Option<Kept>, revision: u64) {
        let after = kept.as_ref().map(|kept| kept.terms.source);
        let before = match kept {
            Some(kept) => self.bans.insert(key, kept),
            None => self.bans.remove(&key),
        };
        let count = self.counts.entry(key.scope).or_default();
        for counted in [&mut self.total, &mut *count] {
            if let Some(before) = &before {
                let of = counted.of(before.terms.source);
                *of = of.saturating_sub(1);
            }
            if let Some(after) = after {
                *counted.of(after) += 1;
            }
        }
        if *count == Count::default() {
            self.counts.remove(&key.scope);
        }
        if self.history.len() >= HISTORY_LEN_MAX
            && let Some((forgotten, _)) = self.history.pop_front()
        {
            self.floor = self.floor.max(forgotten);
        }
        self.history.push_back((revision, key));
    }

    /// The bans that changed after a revision, each once; none where the history does not reach back so far.
    pub fn changed_since(&self, seen: u64) -> Option<BTreeSet<BanKey>> {
        let is_known = seen != 0 && seen >= self.floor && seen <= self.revision;
        let from = self.history.partition_point(|(revision, _)| *revision <= seen);
        is_known.then(|| self.history.range(from..).map(|(_, key)| *key).collect())
    }
}

/// An entry that no `waf` wrote bans nobody, and keeps no other from doing so.
fn read_or_tell(entry: &Entry) -> Option<(BanKey, Kept)> {
    read(entry).inspect_err(tell).ok()
}

fn tell(error: &StoreError) {
    tracing::error!(%error, "a ban is left out");
}
