//! Bans made and lifted here -> what control is told of them: until it has said them back, for a stream may break with them
//! under way. Bans travel as their tenant's, for addresses are each node's own.

use std::collections::HashMap;

use super::UPLINK_MAX;
use crate::model::sync::{BanKey, BanRecord, BanSource, Bans, FleetScope, Lifted, Up};
use crate::model::{Ban, BanOrigin, BanScope, Mono, TenantId};

/// What happened here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The rules banned a source.
    Banned(Ban),
    /// An operator lifted a ban.
    Lifted(Lifted),
}

/// Told, and not said back yet.
#[derive(Debug, Default)]
pub struct Unheard {
    entries: HashMap<BanKey, Told>,
}

impl Unheard {
    /// The words for it; nothing where control need not know: the ban is over, or no tenant's.
    pub fn tell(&mut self, told: Told, now: Mono) -> Option<Up> {
        let up = words(&told, now)?;
        let key = match &up {
            Up::Ban(record) => record.key(),
            Up::Lift(lifted) => lifted.key(),
            _ => return None,
        };
        // Beyond that a stream that breaks may lose some; they hold here all the same.
        if self.entries.len() < UPLINK_MAX || self.entries.contains_key(&key) {
            self.entries.insert(key, told);
        }
        Some(up)
    }

    /// Control says bans: those of ours among them have arrived.
    pub fn hear(&mut self, bans: &Bans) {
        let put = bans.put.iter().map(BanRecord::key);
        for key in put.chain(bans.lifted.iter().map(Lifted::key)) {
            self.entries.remove(&key);
        }
    }

    /// What is to be said once more on a new stream. What has run out meanwhile is forgotten.
    pub fn again(&mut self, now: Mono) -> Vec<Up> {
        self.entries.retain(|_, told| words(told, now).is_some());
        self.entries.values().filter_map(|told| words(told, now)).collect()
    }
}

fn words(told: &Told, now: Mono) -> Option<Up> {
    let ban = match told {
        Told::Lifted(lifted) => return Some(Up::Lift(*lifted)),
        Told::Banned(ban) => ban,
    };
    if ban.origin != BanOrigin::Rules || ban.expires.is_some_and(|expires| expires <= now) {
        return None;
    }
    Some(Up::Ban(BanRecord {
        scope: FleetScope::Tenant(tenant_of(ban)?.number()),
        prefix: ban.prefix,
        source: BanSource::Rules,
        left_ms: ban.expires.map(|expires| expires.since_ns(now).div_ceil(1_000_000)),
        reason: String::new(),
    }))
}

/// Whose visitors it is about.
fn tenant_of(ban: &Ban) -> Option<TenantId> {
    match ban.scope {
        BanScope::Tenant(tenant) => Some(tenant),
        BanScope::Address(_) | BanScope::Node => ban.tenant,
    }
}

/// What control is told of a ban that was lifted here; nothing of bans that it does not know.
pub fn lifted(ban: &Ban) -> Option<Told> {
    let scope = match (ban.origin, ban.scope) {
        (BanOrigin::Rules, _) => FleetScope::Tenant(tenant_of(ban)?.number()),
        (BanOrigin::Fleet, BanScope::Node) => FleetScope::Fleet,
        (BanOrigin::Fleet, BanScope::Tenant(tenant)) => FleetScope::Tenant(tenant.number()),
        _ => return None,
    };
    Some(Told::Lifted(Lifted { scope, prefix: ban.prefix }))
}

#[cfg(test)]
mod tests;
