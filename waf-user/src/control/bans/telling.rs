//! What one node is to hear -> messages, each made when it is to be sent, so that of many nodes which connect at once none has
//! a list of 100,000 waiting in memory. All of them are of the revision at which the telling began. What changes meanwhile
//! is told again by the next one, from that revision on: twice, never not at all.

use std::collections::{BTreeSet, VecDeque};

use ipnet::IpNet;

use super::known::Known;
use super::limits::PART_LEN;
use crate::model::Wall;
use crate::model::sync::{BanKey, Bans, FleetScope, Lifted};

/// Messages to one node that are still to be made.
#[derive(Clone, Debug)]
pub struct Telling {
    revision: u64,
    rest: Rest,
    pub(super) part_len: usize,
}

#[derive(Clone, Debug)]
enum Rest {
    /// All bans of these scopes, of the first those behind `after`: in place of all that were heard before, or on top.
    All {
        scopes: VecDeque<FleetScope>,
        after: Option<IpNet>,
        is_whole: bool,
    },
    Changed(VecDeque<BanKey>),
    Nothing,
}

impl Telling {
    /// For a node that has heard all up to `seen` of the fleet and of these tenants.
    pub(super) fn since(known: &Known, seen: u64, tenants: &BTreeSet<u32>) -> Self {
        let scopes =
            || std::iter::once(FleetScope::Fleet).chain(tenants.iter().copied().map(FleetScope::Tenant));
        let concerns = |key: &BanKey| match key.scope {
            FleetScope::Fleet => true,
            FleetScope::Tenant(tenant) => tenants.contains(&tenant),
        };
        let rest = match known.changed_since(seen) {
            Some(_) if seen == known.revision() => Rest::Nothing,
            Some(keys) => Rest::Changed(keys.into_iter().filter(concerns).collect()),
            None => Rest::All { scopes: scopes().collect(), after: None, is_whole: true },
        };
        Self { revision: known.revision(), rest, part_len: PART_LEN }
    }

    /// For a node that has heard all up to `seen` but of these tenants nothing.
    pub(super) fn of_tenants(seen: u64, tenants: &BTreeSet<u32>) -> Self {
        let scopes = tenants.iter().copied().map(FleetScope::Tenant).collect();
        Self { revision: seen, rest: Rest::All { scopes, after: None, is_whole: false }, part_len: PART_LEN }
    }

    /// What the node has heard once it has heard all of it.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn next(&mut self, known: &Known, now: Wall) -> Option<Bans> {
        let mut part = Bans { revision: self.revision, ..Bans::default() };
        let mut left = self.part_len;
        match &mut self.rest {
            Rest::Nothing => return None,
            Rest::All { scopes, after, is_whole } => {
                part.is_whole = *is_whole;
                while left > 0
                    && let Some(scope) = scopes.front().copied()
                {
                    for (prefix, kept) in known.of_scope(scope, *after).take(left) {
                        left -= 1;
                        *after = Some(prefix);
                        if !kept.terms.is_over(now) {
                            part.put.push(kept.terms.record(BanKey { scope, prefix }, now));
                        }
                    }
                    if left > 0 {
                        scopes.pop_front();
                        *after = None;
                    }
                }
            }
            Rest::Changed(keys) => {
                while left > 0
                    && let Some(key) = keys.pop_front()
                {
                    left -= 1;
                    match known.ban(&key).filter(|kept| !kept.terms.is_over(now)) {
                        Some(kept) => part.put.push(kept.terms.record(key, now)),
                        None => part.lifted.push(Lifted { scope: key.scope, prefix: key.prefix }),
                    }
                }
            }
        }
        if left > 0 {
            part.is_last = true;
            self.rest = Rest::Nothing;
        }
        Some(part)
    }
}
