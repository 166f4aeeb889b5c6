//! One process takes over from another, over control.sock, without a connection noticing:
//!
//! | the new process | the one that serves |
//! |---|---|
//! | builds its state, asks: `take-over` | |
//! | | stops writing maps; leaves control.sock and the admin listener |
//! | | `handed-over`: generation, bans, repeaters, counted refusals, and without kernel half its sockets |
//! | starts its workers, writes SOCKETS and all maps, services last | serves on |
//! | `serving` | |
//! | | `done`; accepts what is under way, drains, ends |
//!
//! Whatever fails before `serving`, the old process takes everything back and serves as before.

pub mod give;
pub mod pass;
pub mod take;

use serde::{Deserialize, Serialize};

use super::enforce::Enforcer;
use super::feedback::{Counted, Feedback, SLOTS};
use super::repeaters::Repeater;
use crate::config::prefix::parse_prefix;
use crate::model::{Ban, BanOrigin, BanScope, Generation, Mono, TenantId};

/// What one process tells the next. Bans lie in the maps too; without the kernel half they are here alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    pub generation: u64,
    pub bans: Vec<BanRecord>,
    pub repeaters: Vec<RepeaterRecord>,
    /// Length of the window in which refusals are counted, and who had some.
    #[serde(default)]
    pub window_s: u32,
    #[serde(default)]
    pub sources: Vec<SourceRecord>,
}

/// A ban between two processes of one machine: its monotonic clock is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanRecord {
    scope: String,
    prefix: String,
    by_operator: bool,
    #[serde(default)]
    by_fleet: bool,
    tenant: Option<u32>,
    expires_ns: Option<u64>,
}

/// A source whose next ban lasts longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeaterRecord {
    scope: String,
    prefix: String,
    times: u32,
    until_ns: u64,
}

/// A source whose refusals are counted: the number of the newest tenth of its window, and (requests, refused) by tenths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    scope: String,
    prefix: String,
    latest: u64,
    slots: [(u32, u32); SLOTS],
}

impl Handed {
    /// What a node knows.
    pub fn of(enforcer: &mut Enforcer, feedback: &Feedback, generation: Generation) -> Self {
        let ban = |ban: Ban| BanRecord {
            scope: ban.scope.to_string(),
            prefix: ban.prefix.to_string(),
            by_operator: ban.origin == BanOrigin::Operator,
            by_fleet: ban.origin == BanOrigin::Fleet,
            tenant: ban.tenant.map(TenantId::number),
            expires_ns: ban.expires.map(|expires| expires.0),
        };
        let bans = enforcer.bans().list().into_iter().map(ban).collect();
        let repeater = |(scope, prefix, repeater): (BanScope, ipnet::IpNet, Repeater)| RepeaterRecord {
            scope: scope.to_string(),
            prefix: prefix.to_string(),
            times: repeater.times,
            until_ns: repeater.until.0,
        };
        let repeaters = enforcer.repeaters().iter().map(repeater).collect();
        let source = |Counted { scope, prefix, latest, slots }| SourceRecord {
            scope: scope.to_string(),
            prefix: prefix.to_string(),
            latest,
            slots,
        };
        let sources = feedback.refused().map(source).collect();
        Self { generation: generation.0, bans, repeaters, window_s: feedback.window_s(), sources }
    }

    /// Gives a new process what still means something to it.
    pub fn tell(self, enforcer: &mut Enforcer, feedback: &mut Feedback, now: Mono) {
        let bans = self.bans.into_iter().filter_map(|record| {
            let origin = match (record.by_fleet, record.by_operator) {
                (true, _) => BanOrigin::Fleet,
                (false, true) => BanOrigin::Operator,
                (false, false) => BanOrigin::Rules,
            };
            let tenant = record.tenant.and_then(|tenant| TenantId::new(u64::from(tenant)).ok());
            let (scope, prefix) = key(&record.scope, &record.prefix)?;
            Some(Ban { scope, prefix, origin, tenant, expires: record.expires_ns.map(Mono) })
        });
        let bans: Vec<Ban> = bans.filter(|ban| enforcer.may_adopt(ban, now)).collect();
        enforcer.adopt(bans);
        for record in self.repeaters {
            if let Some((scope, prefix)) = key(&record.scope, &record.prefix) {
                let repeater = Repeater { times: record.times, until: Mono(record.until_ns) };
                enforcer.repeaters().remember(scope, prefix, repeater, now);
            }
        }
        if self.window_s != feedback.window_s() {
            return;
        }
        for record in self.sources {
            if let Some((scope, prefix)) = key(&record.scope, &record.prefix) {
                feedback.resume(Counted { scope, prefix, latest: record.latest, slots: record.slots });
            }
        }
    }
}

fn key(scope: &str, prefix: &str) -> Option<(BanScope, ipnet::IpNet)> {
    Some((scope.parse().ok()?, parse_prefix(prefix).ok()?))
}

#[cfg(test)]
mod tests;
