//! Bans from above -> bans of this node.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;

use super::super::bans::BANS_MAX;
use super::super::enforce::Enforcer;
use crate::model::sync::{BanRecord, BanSource, Bans, FleetScope, Lifted};
use crate::model::{Ban, BanOrigin, BanScope, Mono, TenantId};

type Key = (BanScope, IpNet);

/// What has been heard, on this stream and the ones before.
#[derive(Debug, Default)]
pub struct Heard {
    /// Complete up to this revision.
    revision: u64,
    /// Bans of the whole list that is arriving.
    whole: Option<HashSet<Key>>,
    /// More messages of this revision are to come.
    is_under_way: bool,
    /// Of tenants that are not served yet: a document with them is on its way. With whether rules made it.
    early: HashMap<Key, (Ban, bool)>,
    /// Our own, made by rules, that control has: what it lifts while no stream is open is to be lifted here too.
    shared: HashSet<Key>,
}

impl Heard {
    /// A new stream: the list that was arriving on the one before is not. Gives the revision that is complete; none where a
    /// part of another was heard, which may be an older one of a control process that was behind.
    pub fn begin(&mut self) -> u64 {
        if self.is_under_way {
            self.revision = 0;
        }
        (self.whole, self.is_under_way) = (None, false);
        self.revision
    }

    /// Whether the last message of a revision is still to come.
    pub const fn is_under_way(&self) -> bool {
        self.is_under_way
    }

    /// Takes a message; to be followed by [`Enforcer::publish`]. The revision that is complete with it, if it is.
    pub fn take(&mut self, bans: Bans, enforcer: &mut Enforcer, now: Mono) -> Option<u64> {
        if bans.is_whole {
            let keys = bans.put.iter().filter_map(|it| Some((scope(it.scope)?, it.prefix.trunc())));
            self.whole.get_or_insert_default().extend(keys);
        }
        let mut refused = 0;
        for record in bans.put {
            refused += u32::from(!self.put(record, enforcer, now));
        }
        if refused > 0 {
            tracing::warn!(refused, "bans of the fleet do not hold here: protected sources, or no room");
        }
        let lifted = bans
            .lifted
            .iter()
            .filter_map(|Lifted { scope: fleet, prefix }| scope(*fleet).map(|scope| (scope, prefix.trunc())));
        self.lift(lifted.collect(), enforcer);
        self.is_under_way = !bans.is_last;
        if bans.is_last {
            self.revision = bans.revision;
            if let Some(keys) = self.whole.take() {
                self.forget_others(&keys, enforcer);
            }
        }
        bans.is_last.then_some(self.revision)
    }

    /// After a document was put in place: bans of its new tenants hold from now on. `has_new`: it has tenants that the one
    /// before had not. Control tells their bans next; until it has, a new stream is to begin from the beginning.
    pub fn settle(&mut self, has_new: bool, enforcer: &mut Enforcer, now: Mono) {
        if has_new {
            self.revision = 0;
        }
        let is_over = |ban: &Ban| ban.expires.is_some_and(|expires| expires <= now);
        self.early.retain(|_, (ban, _)| !is_over(ban));
        let plan = enforcer.plan();
        let served: Vec<Key> = self.early.keys().filter(|(scope, _)| plan.serves(*scope)).copied().collect();
        for key in served {
            if let Some((ban, by_rules)) = self.early.remove(&key) {
                enforcer.ban_of_fleet(ban, by_rules, now);
            }
        }
        enforcer.publish();
    }

    /// Whether it holds, or need not.
    fn put(&mut self, record: BanRecord, enforcer: &mut Enforcer, now: Mono) -> bool {
        let Some(scope) = scope(record.scope) else { return false };
        let tenant = if let BanScope::Tenant(tenant) = scope { Some(tenant) } else { None };
        let expires = record.left_ms.map(|left| Mono(now.0.saturating_add(left.saturating_mul(1_000_000))));
        let ban = Ban { scope, prefix: record.prefix.trunc(), origin: BanOrigin::Fleet, tenant, expires };
        let by_rules = record.source == BanSource::Rules;
        let key = (scope, ban.prefix);
        if !enforcer.plan().serves(scope) {
            let has_room = self.early.len() < BANS_MAX || self.early.contains_key(&key);
            if has_room {
                self.early.insert(key, (ban, by_rules));
            }
            return has_room;
        }
        let own = enforcer.bans().live(scope, ban.prefix, now);
        if by_rules && own.is_some_and(|own| own.origin == BanOrigin::Rules) {
            if self.shared.len() >= BANS_MAX {
                let bans = enforcer.bans();
                self.shared.retain(|(scope, prefix)| bans.live(*scope, *prefix, now).is_some());
            }
            self.shared.insert(key);
        }
        enforcer.ban_of_fleet(ban, by_rules, now)
    }

    /// Control has a tenant's ban where a node's rules may have made one for an address or the whole node: both go.
    fn lift(&mut self, keys: Vec<Key>, enforcer: &mut Enforcer) {
        let tenants: HashSet<(TenantId, IpNet)> =
            keys.iter().filter_map(|(scope, prefix)| Some((tenant(*scope)?, *prefix))).collect();
        let is_wider = |ban: &&Ban| {
            let of = ban.tenant.filter(|_| ban.origin == BanOrigin::Rules && tenant(ban.scope).is_none());
            of.is_some_and(|tenant| tenants.contains(&(tenant, ban.prefix)))
        };
        let wider: Vec<Key> = match tenants.is_empty() {
            true => Vec::new(),
            false => enforcer.bans().iter().filter(is_wider).map(|ban| (ban.scope, ban.prefix)).collect(),
        };
        for key in keys.into_iter().chain(wider) {
            self.early.remove(&key);
            self.shared.remove(&key);
            let (scope, prefix) = key;
            if let Err(error) = enforcer.lift(scope, prefix) {
                tracing::debug!(%prefix, %scope, %error, "lifted ban was not there, or stays in the kernel");
            }
        }
    }

    /// A whole list has come: what control no longer has is lifted.
    fn forget_others(&mut self, keys: &HashSet<Key>, enforcer: &mut Enforcer) {
        let is_gone = |ban: &&Ban| {
            let key = (ban.scope, ban.prefix);
            let is_above = ban.origin == BanOrigin::Fleet || self.shared.contains(&key);
            is_above && !keys.contains(&key)
        };
        let gone = enforcer.bans().iter().filter(is_gone).map(|ban| (ban.scope, ban.prefix)).collect();
        self.lift(gone, enforcer);
        self.early.retain(|key, _| keys.contains(key));
        self.shared.retain(|key| keys.contains(key));
    }
}

fn scope(scope: FleetScope) -> Option<BanScope> {
    match scope {
        FleetScope::Fleet => Some(BanScope::Node),
        FleetScope::Tenant(id) => TenantId::new(u64::from(id)).ok().map(BanScope::Tenant),
    }
}

const fn tenant(scope: BanScope) -> Option<TenantId> {
    match scope {
        BanScope::Tenant(tenant) => Some(tenant),
        BanScope::Address(_) | BanScope::Node => None,
    }
}

#[cfg(test)]
mod tests;
