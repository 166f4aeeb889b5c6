//! Bans from above -> bans of this node.

use std::collections::HashSet;

use ipnet::IpNet;

use super::super::enforce::Enforcer;
use crate::model::sync::{BanRecord, BanSource, Bans, FleetScope, Lifted};
use crate::model::{Ban, BanOrigin, BanScope, Mono, TenantId};

/// What has been heard on this stream.
#[derive(Default)]
pub struct Heard {
    /// Bans of the whole list that is arriving.
    whole: Option<HashSet<(BanScope, IpNet)>>,
}

impl Heard {
    /// The revision that is complete with this message, if it is.
    pub fn take(&mut self, bans: Bans, enforcer: &mut Enforcer, now: Mono) -> Option<u64> {
        let mut refused = 0;
        if bans.is_whole {
            let keys = self.whole.get_or_insert_default();
            keys.extend(bans.put.iter().filter_map(|it| Some((scope(it.scope)?, it.prefix.trunc()))));
        }
        for record in bans.put {
            refused += u32::from(!put(record, enforcer, now));
        }
        for Lifted { scope: fleet, prefix } in bans.lifted {
            if let Some(scope) = scope(fleet) {
                lift(enforcer, scope, prefix.trunc());
            }
        }
        if refused > 0 {
            tracing::warn!(refused, "bans of the fleet do not hold here: protected sources, or no room");
        }
        if bans.is_last
            && let Some(keys) = self.whole.take()
        {
            let is_over =
                |ban: &Ban| ban.origin == BanOrigin::Fleet && !keys.contains(&(ban.scope, ban.prefix));
            for ban in enforcer.bans().list().iter().filter(|ban| is_over(ban)) {
                lift(enforcer, ban.scope, ban.prefix);
            }
        }
        enforcer.publish();
        bans.is_last.then_some(bans.revision)
    }
}

fn scope(scope: FleetScope) -> Option<BanScope> {
    match scope {
        FleetScope::Fleet => Some(BanScope::Node),
        FleetScope::Tenant(id) => TenantId::new(u64::from(id)).ok().map(BanScope::Tenant),
    }
}

/// Whether it holds, or need not.
fn put(record: BanRecord, enforcer: &mut Enforcer, now: Mono) -> bool {
    let Some(scope) = scope(record.scope) else { return false };
    let tenant = if let BanScope::Tenant(tenant) = scope { Some(tenant) } else { None };
    let expires = record.left_ms.map(|left| Mono(now.0.saturating_add(left.saturating_mul(1_000_000))));
    let ban = Ban { scope, prefix: record.prefix.trunc(), origin: BanOrigin::Fleet, tenant, expires };
    enforcer.ban_of_fleet(ban, record.source == BanSource::Rules, now)
}

fn lift(enforcer: &mut Enforcer, scope: BanScope, prefix: IpNet) {
    if let Err(error) = enforcer.lift(scope, prefix) {
        tracing::debug!(%prefix, %scope, %error, "lifted ban was not there, or stays in the kernel");
    }
}

#[cfg(test)]
mod tests;
