//! Observations of requests in, bans out: a bounded table of sources, counted over a sliding window. Sans-io: time comes
//! with the observation. Enforcing a ban is not its matter.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{BanPolicy, BanPolicyScope, NodeConfig};
use crate::model::{Ban, BanOrigin, BanScope, Mode, Mono, TenantId, source_prefix};
use crate::proxy::Observation;

/// Sources counted at once: about 10 MB. A flood from more sources than this is for the kernel's limits, not for bans.
pub const SOURCES_MAX: usize = 65_536;
/// Parts of the window: what is older than a whole window is forgotten a tenth at a time.
pub const SLOTS: usize = 10;
/// A full table is swept at most this often.
const SWEEP_NS: u64 = 1_000_000_000;

/// The feedback loop without its surroundings.
#[derive(Debug)]
pub struct Feedback {
    policy: BanPolicy,
    spared: Spared,
    sources: HashMap<(BanScope, IpNet), Window>,
    swept: Mono,
    lost: u64,
}

/// Whom a ban made by rules must not reach: tenants that do not block.
#[derive(Debug, Default)]
struct Spared {
    tenants: HashSet<TenantId>,
    addresses: HashSet<IpAddr>,
}

impl Feedback {
    pub fn new(config: &NodeConfig) -> Self {
        let (policy, spared) = (config.ban.clone(), Spared::of(config));
        Self { policy, spared, sources: HashMap::new(), swept: Mono::default(), lost: 0 }
    }

    /// Takes over a new configuration. What was counted goes on, unless the window has another length.
    pub fn configure(&mut self, config: &NodeConfig) {
        if config.ban.window_s != self.policy.window_s {
            self.sources.clear();
        }
        (self.policy, self.spared) = (config.ban.clone(), Spared::of(config));
        let spared = &self.spared;
        self.sources.retain(|(scope, _), _| !spared.spares(*scope));
    }

    /// Counts a request; gives the ban that it completes. The source then starts anew.
    pub fn observe(&mut self, seen: &Observation) -> Option<Ban> {
        if self.spared.tenants.contains(&seen.tenant) {
            return None;
        }
        let key = (self.scope(seen), source_prefix(seen.source));
        if !self.sources.contains_key(&key) && !self.has_room(seen) {
            return None;
        }
        let slot_ns = u64::from(self.policy.window_s) * 1_000_000_000 / SLOTS as u64;
        let window = self.sources.entry(key).or_default();
        window.count(seen.at.0 / slot_ns, seen.refused);
        if !window.is_over(&self.policy) {
            return None;
        }
        self.sources.remove(&key);
        let expires = Some(seen.at.plus_s(self.policy.ttl_s));
        Some(Ban {
            scope: key.0,
            prefix: key.1,
            origin: BanOrigin::Rules,
            tenant: Some(seen.tenant),
            expires,
        })
    }

    /// Sources with refusals, for another process: its clock is ours. Those without have nothing to lose but the clean
    /// part of their ratio.
    pub fn refused(&self) -> impl Iterator<Item = Counted> {
        let sources = self.sources.iter().filter(|(_, window)| window.refusals() > 0);
        sources.map(|((scope, prefix), window)| Counted {
            scope: *scope,
            prefix: *prefix,
            latest: window.latest,
            slots: window.slots,
        })
    }

    /// Goes on counting where another process left off, as far as there is room and the ban may be made here.
    pub fn resume(&mut self, counted: Counted) {
        let Counted { scope, prefix, latest, slots } = counted;
        if self.spared.spares(scope) || self.sources.len() >= SOURCES_MAX {
            return;
        }
        self.sources.insert((scope, prefix), Window { latest, slots });
    }

    /// Length of the window, which gives the counts their meaning.
    pub fn window_s(&self) -> u32 {
        self.policy.window_s
    }

    /// Sources counted now.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Sources that found no room since the last call.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Forgets sources whose last request is a window ago.
    pub fn sweep(&mut self, now: Mono) {
        let slot_ns = u64::from(self.policy.window_s) * 1_000_000_000 / SLOTS as u64;
        let slot = now.0 / slot_ns;
        self.sources.retain(|_, window| slot.saturating_sub(window.latest) < SLOTS as u64);
        self.swept = now;
    }

    /// The policy's scope, or the tenant's own where a wider one would reach a tenant that does not block.
    fn scope(&self, seen: &Observation) -> BanScope {
        let destination = seen.destination.to_canonical();
        match self.policy.scope {
            BanPolicyScope::Address if !self.spared.addresses.contains(&destination) => {
                BanScope::Address(destination)
            }
            BanPolicyScope::Node if self.spared.tenants.is_empty() => BanScope::Node,
            _ => BanScope::Tenant(seen.tenant),
        }
    }

    /// In a table half full a source is counted from its first refusal on only: most sources never have one. What it
    /// asked for before that is then left out of its ratio.
    fn has_room(&mut self, seen: &Observation) -> bool {
        if self.sources.len() >= SOURCES_MAX / 2 && seen.at.since_ns(self.swept) >= SWEEP_NS {
            self.sweep(seen.at);
        }
        let room = self.sources.len() < if seen.refused { SOURCES_MAX } else { SOURCES_MAX / 2 };
        self.lost += u64::from(!room && seen.refused);
        room
    }
}

impl Spared {
    fn of(config: &NodeConfig) -> Self {
        let mut spared = Self::default();
        for tenant in config.tenants.iter().filter(|tenant| tenant.mode != Mode::Block) {
            spared.tenants.insert(tenant.id);
            spared.addresses.extend(&tenant.addresses);
        }
        spared
    }

    /// Whether a ban of this scope would reach one of them.
    fn spares(&self, scope: BanScope) -> bool {
        match scope {
            BanScope::Tenant(tenant) => self.tenants.contains(&tenant),
            BanScope::Address(address) => self.addresses.contains(&address),
            BanScope::Node => !self.tenants.is_empty(),
        }
    }
}

/// What is known of a source: see [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub scope: BanScope,
    pub prefix: IpNet,
    pub latest: u64,
    pub slots: [(u32, u32); SLOTS],
}

/// Requests of one source by tenths of the window.
#[derive(Debug, Default)]
struct Window {
    /// Number of the newest tenth since the clock began.
    latest: u64,
    /// (requests, refused); the tenth with number n lies at n % SLOTS.
    slots: [(u32, u32); SLOTS],
}

impl Window {
    fn count(&mut self, slot: u64, refused: bool) {
        if slot > self.latest {
            let stale = (slot - self.latest).min(SLOTS as u64);
            for number in slot + 1 - stale..=slot {
                if let Some(cell) = self.slots.get_mut((number % SLOTS as u64) as usize) {
                    *cell = (0, 0);
                }
            }
            self.latest = slot;
        }
        // Workers' clocks are one, but their queues are not: a late observation counts as of now.
        if let Some((requests, refusals)) = self.slots.get_mut((self.latest % SLOTS as u64) as usize) {
            *requests = requests.saturating_add(1);
            *refusals = refusals.saturating_add(u32::from(refused));
        }
    }

    fn refusals(&self) -> u64 {
        self.slots.iter().map(|(_, refused)| u64::from(*refused)).sum()
    }

    fn is_over(&self, policy: &BanPolicy) -> bool {
        let (requests, refused) = self.slots.iter().fold((0u64, 0u64), |(requests, refused), slot| {
            (requests + u64::from(slot.0), refused + u64::from(slot.1))
        });
        refused >= u64::from(policy.refused) && refused as f64 >= policy.ratio * requests as f64
    }
}

#[cfg(test)]
mod tests;
