//! The node's side of its stream with control: what is heard becomes a served document and bans, what happens here is
//! told. With control dead the node serves on; it tries again for ever.

pub mod client;
pub mod join;

mod bans;
mod call;
mod session;

use tokio::sync::mpsc;

use crate::model::sync::Up;
use crate::model::{BanOrigin, BanScope, Mono, TenantId};

/// Bans and lifts waiting for the stream: some seconds of an attack. What finds no place holds here all the same.
pub const UPLINK_MAX: usize = 4096;

/// Towards control, for whoever has something to tell.
pub type Uplink = mpsc::Sender<Up>;

/// What control is told of a ban that rules made here: as the tenant's, for addresses are each node's own.
pub fn told(ban: &crate::model::Ban, now: Mono) -> Option<Up> {
    use crate::model::sync::{BanRecord, BanSource, FleetScope};
    if ban.origin != BanOrigin::Rules {
        return None;
    }
    let tenant = match ban.scope {
        BanScope::Tenant(tenant) => Some(tenant),
        BanScope::Address(_) | BanScope::Node => ban.tenant,
    };
    Some(Up::Ban(BanRecord {
        scope: FleetScope::Tenant(tenant.map(TenantId::number)?),
        prefix: ban.prefix,
        source: BanSource::Rules,
        left_ms: ban.expires.map(|expires| expires.since_ns(now).div_ceil(1_000_000)),
        reason: String::new(),
    }))
}
