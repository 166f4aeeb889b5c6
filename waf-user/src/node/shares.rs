//! Demand of all tenants + capacity of the node -> what each may take while there is not enough for all. A tenant always
//! gets what its contract says if it asks for it; what is asked beyond contracts shares the rest max-min fairly: nobody
//! gets more beyond its contract than another who still wants.
//!
//! Mbit/s are held at the request's head too: of the bytes a tenant may pass on, its requests of late say how many requests
//! that is. What is under way is not slowed down.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::standing::Standing;
use crate::config::NodeConfig;
use crate::model::sync::Contract;
use crate::model::{Mono, TenantId};
use crate::proxy::contract::{Allowance, Gate};

/// How often rates are made anew: soon enough that a flood is held before queues grow long, long enough that chance
/// arrivals of a tenant with 100 requests a second stay within a few tens of per cent, halved again by the mean.
const INTERVAL: Duration = Duration::from_millis(500);
/// As long without a limit is an end worth a line in the log.
const CALM_NS: u64 = 10_000_000_000;
/// Rates are in thousandths a second.
const MILLI: u64 = 1_000;
/// Of bandwidth: a megabit in bytes.
const MEGABIT_BYTES: u64 = 125_000;

/// What one asks for, and what it has been promised, in the same unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    pub demand: u64,
    pub contract: u64,
}

impl Claim {
    fn assured(self) -> u64 {
        self.demand.min(self.contract)
    }

    /// What it gets where `level` is allowed above contracts.
    pub fn share(self, level: u64) -> u64 {
        self.demand.min(self.contract.saturating_add(level))
    }
}

/// What everyone may have above its contract; None: there is enough for all. Where even the contracts asked for are
/// more than there is, nobody has more than its contract. O(n log n).
pub fn level(claims: &[Claim], capacity: u64) -> Option<u64> {
    let sum = |part: fn(&Claim) -> u64| claims.iter().map(part).fold(0, u64::saturating_add);
    if sum(|claim| claim.demand) <= capacity {
        return None;
    }
    let mut spare = capacity.saturating_sub(sum(|claim| claim.assured()));
    let mut wants: Vec<u64> =
        claims.iter().map(|claim| claim.demand - claim.assured()).filter(|want| *want > 0).collect();
    wants.sort_unstable();
    // Whoever wants less than an even part of the rest gets all of it.
    let mut left = wants.len() as u64;
    for want in wants {
        let part = spare / left;
        if want > part {
            return Some(part);
        }
        spare -= want;
        left -= 1;
    }
    // Only where sums are beyond 64 bits.
    Some(spare)
}

/// The allowances of all tenants served, by number.
#[derive(Debug, Default)]
pub struct Allowances(Mutex<HashMap<TenantId, Weak<Allowance>>>);

impl Allowances {
    /// A tenant's own, the same as long as a site or anybody else holds it.
    pub fn of(&self, tenant: TenantId) -> Arc<Allowance> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowance) = all.get(&tenant).and_then(Weak::upgrade) {
            return allowance;
        }
        let allowance = Arc::default();
        // Once it is full, so that of the 20,000 tenants of a start each does not look at all others.
        if all.len() == all.capacity() {
            all.retain(|_, held| held.strong_count() > 0);
        }
        all.insert(tenant, Arc::downgrade(&allowance));
        allowance
    }

    pub fn get(&self, tenant: TenantId) -> Option<Arc<Allowance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant)?.upgrade()
    }
}

/// Makes shares until dropped.
pub(super) async fn run(standing: Rc<Standing>) {
    let mut ticks = interval(INTERVAL);
    // Late once is late for good: over an interval cut short, one request would look like a flood.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shares = Shares::new(Mono::now());
    loop {
        ticks.tick().await;
        let enforcer = standing.enforcer.borrow();
        shares.renew(enforcer.config(), standing.lasting.allowances(), Mono::now());
    }
}

/// What was counted of a tenant up to the last time, and its demand since, as a mean that forgets by halves.
#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    refused: u64,
    handshakes: u64,
    bytes: u64,
    demand: Demand,
}

/// Requests and handshakes in thousandths a second, bytes a second.
#[derive(Clone, Copy, Debug, Default)]
struct Demand {
    requests: u64,
    handshakes: u64,
    bytes: u64,
    /// Of one request; 0: not known.
    bytes_each: u64,
}

/// The way from one interval to the next.
#[derive(Debug)]
pub(super) struct Shares {
    since: Mono,
    tallies: HashMap<TenantId, Tally>,
    limited: bool,
    /// When it was limited last, from its being told of to the end's being told of.
    told: Option<Mono>,
}

impl Shares {
    pub fn new(now: Mono) -> Self {
        Self { since: now, tallies: HashMap::new(), limited: false, told: None }
    }

    /// Measures the interval that ends now and sets the rates for the next.
    pub fn renew(&mut self, config: &NodeConfig, allowances: &Allowances, now: Mono) {
        if config.capacity == Contract::default() && !self.limited {
            // What is counted meanwhile is of no interval.
            self.tallies.clear();
            self.since = now;
            return;
        }
        let elapsed_ms = now.since_ns(self.since) / 1_000_000;
        if elapsed_ms == 0 {
            return;
        }
        self.since = now;
        let mut tallies = std::mem::take(&mut self.tallies);
        let mut tenants = Vec::with_capacity(config.tenants.len());
        for tenant in &config.tenants {
            let Some(allowance) = allowances.get(tenant.id) else { continue };
            let tally = match tallies.remove(&tenant.id) {
                Some(tally) => tally.after(&allowance, elapsed_ms),
                None => Tally::of(&allowance),
            };
            tenants.push((tenant.contract, tally.demand, allowance));
            self.tallies.insert(tenant.id, tally);
        }
        self.limited = set(config.capacity, &tenants);
        self.tell(tenants.len(), now);
    }

    /// Demand about as high as the capacity would change its mind twice a second: the end is told once it has lasted.
    fn tell(&mut self, tenants: usize, now: Mono) {
        match (self.limited, self.told) {
            (true, None) => {
                tracing::warn!(tenants, "more is asked for than the node carries: it is shared out");
                self.told = Some(now);
            }
            (true, Some(_)) => self.told = Some(now),
            (false, Some(last)) if now.since_ns(last) >= CALM_NS => {
                tracing::info!("enough for all again: nobody is limited");
                self.told = None;
            }
            (false, _) => {}
        }
    }
}

/// Sets every gate; whether any is limited.
fn set(capacity: Contract, tenants: &[(Contract, Demand, Arc<Allowance>)]) -> bool {
    let level_of = |capacity: u64, claim: fn(&Contract, &Demand) -> Claim| {
        let claims: Vec<Claim> =
            tenants.iter().map(|(contract, demand, _)| claim(contract, demand)).collect();
        // A measure that nobody set is not looked at.
        (capacity > 0).then(|| level(&claims, capacity)).flatten()
    };
    let requests = level_of(capacity.requests_s.saturating_mul(MILLI), |contract, demand| Claim {
        demand: demand.requests,
        contract: contract.requests_s.saturating_mul(MILLI),
    });
    let bytes = level_of(capacity.mbit_s.saturating_mul(MEGABIT_BYTES), |contract, demand| Claim {
        demand: demand.bytes,
        contract: contract.mbit_s.saturating_mul(MEGABIT_BYTES),
    });
    let handshakes = level_of(capacity.handshakes_s.saturating_mul(MILLI), |contract, demand| Claim {
        demand: demand.handshakes,
        contract: contract.handshakes_s.saturating_mul(MILLI),
    });
    for (contract, demand, allowance) in tenants {
        let by_requests =
            requests.map(|level| contract.requests_s.saturating_mul(MILLI).saturating_add(level));
        let by_bytes = bytes.filter(|_| demand.bytes_each > 0).map(|level| {
            let bytes_s = contract.mbit_s.saturating_mul(MEGABIT_BYTES).saturating_add(level);
            bytes_s.saturating_mul(MILLI) / demand.bytes_each
        });
        let rate = by_requests.into_iter().chain(by_bytes).min();
        allowance.requests.limit(rate);
        let rate = handshakes.map(|level| contract.handshakes_s.saturating_mul(MILLI).saturating_add(level));
        allowance.handshakes.limit(rate);
    }
    requests.or(bytes).or(handshakes).is_some()
}

impl Tally {
    /// The first look at a tenant: counts, no demand yet.
    fn of(allowance: &Allowance) -> Self {
        let asked = |gate: &Gate| gate.asked();
        Self {
            requests: asked(&allowance.requests),
            refused: allowance.requests.refused(),
            handshakes: asked(&allowance.handshakes),
            bytes: allowance.bytes(),
            demand: Demand::default(),
        }
    }

    fn after(self, allowance: &Allowance, elapsed_ms: u64) -> Self {
        let mut next = Self::of(allowance);
        // A tenant that went and came back is counted from nothing.
        let requests = next.requests.saturating_sub(self.requests);
        let refused = next.refused.saturating_sub(self.refused).min(requests);
        let bytes = next.bytes.saturating_sub(self.bytes);
        let a_second = |count: u64| count.saturating_mul(MILLI) / elapsed_ms;
        // What is passed on without a new request is an answer under way: the request before it costs it.
        let each = bytes / (requests - refused).max(1);
        let bytes_each = if requests == refused { self.demand.bytes_each.max(each) } else { each };
        // Those turned away would have cost as much as the others.
        let wanted = bytes.saturating_add(refused.saturating_mul(bytes_each));
        let mean = |before: u64, now: u64| before / 2 + now / 2 + (before & now & 1);
        next.demand = Demand {
            requests: mean(self.demand.requests, a_second(requests).saturating_mul(MILLI)),
            handshakes: mean(
                self.demand.handshakes,
                a_second(next.handshakes.saturating_sub(self.handshakes)).saturating_mul(MILLI),
            ),
            bytes: mean(self.demand.bytes, a_second(wanted)),
            bytes_each: if self.demand.bytes_each == 0 {
                bytes_each
            } else {
                mean(self.demand.bytes_each, bytes_each)
            },
        };
        next
    }
}

#[cfg(test)]
mod tests;
