//! A ban of one tenant -> a ban of the address that it shares, where the source is bad for several of its tenants. On a
//! shared address the kernel cannot know the tenant of a first packet: only an address's ban stops it there.

use std::net::IpAddr;

use super::bans::Bans;
use super::kernel_sync::reaches_unblocking;
use super::services::ServicePlan;
use crate::config::NodeConfig;
use crate::model::{Ban, BanOrigin, BanScope, Mono};

/// Tenants of one address for which a source must be bad: one may have strange rules, two hardly the same.
const TENANTS_MIN: usize = 2;

/// The ban itself, or the wider one that it completes. Never where a tenant of the address does not block: its visitors
/// are not refused for what they did elsewhere.
pub fn promoted(
    ban: Ban,
    destination: IpAddr,
    (config, plan, bans): (&NodeConfig, &ServicePlan, &Bans),
    now: Mono,
) -> Ban {
    let BanScope::Tenant(tenant) = ban.scope else { return ban };
    let scope = BanScope::Address(destination.to_canonical());
    if ban.origin != BanOrigin::Rules || reaches_unblocking(config, scope) {
        return ban;
    }
    let is_bad = |other| {
        let ban = bans.live(BanScope::Tenant(other), ban.prefix, now);
        ban.is_some_and(|ban| ban.origin == BanOrigin::Rules)
    };
    let bad = plan.tenants_of(destination.to_canonical()).filter(|other| *other == tenant || is_bad(*other));
    if bad.count() < TENANTS_MIN { ban } else { Ban { scope, ..ban } }
}

#[cfg(test)]
mod tests;
