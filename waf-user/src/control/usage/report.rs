//! What was told + what is placed -> used, reserved and contract of each site side by side.

use std::collections::HashMap;

use super::series::{Counts, MINUTES, Milli, Used};
use super::{MINUTE_NS, Told, UsageBook, is_fresh};
use crate::control::capacity::{Measure, Rates};
use crate::control::environment::{Customer, Environment, Placement, Site, State};
use crate::model::{Carrier, Fqdn, Mono, NodeName, TenantId};

/// Minutes of the last fifteen above the contract that make an excess a steady one: a pause of a few does not end it.
pub const STEADY_MINUTES: usize = 12;
const MINUTE_MS: u64 = MINUTE_NS / 1_000_000;

/// One site: all that serves it together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteUsage {
    pub fqdn: Fqdn,
    pub customer: Customer,
    /// The peak of its sheet.
    pub contract: Rates,
    /// At each of its two carriers, by the environment that serves it now.
    pub reserved: Rates,
    /// Of the last seconds.
    pub used: Used,
    /// Of the last fifteen whole minutes.
    pub mean: Used,
    /// In the order of the measures; empty where nothing is steadily above the contract.
    pub excess: Vec<Excess>,
    /// Of the environment that serves it, then of the one before.
    pub placements: Vec<PlacementUsage>,
}

/// One measure that is steadily above the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    pub measure: Measure,
    /// Above the contract, of the last fifteen.
    pub minutes: usize,
    pub mean: Milli,
    pub contract: u64,
}

/// One placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementUsage {
    pub tenant: TenantId,
    pub node: NodeName,
    pub carrier: Carrier,
    pub reserved: Rates,
    pub used: Used,
    /// Whether the node told of anything within the last seconds.
    pub is_heard: bool,
}

impl UsageBook {
    /// All sites, in the order of their names. O(placements).
    pub fn report(&self, state: &State, now: Mono) -> Vec<SiteUsage> {
        let told = self.lock();
        state.sites().values().filter_map(|site| of_site(&told, state, site, now)).collect()
    }

    /// One site; None where the state has no environment that serves it.
    pub fn of_site(&self, state: &State, site: &Site, now: Mono) -> Option<SiteUsage> {
        of_site(&self.lock(), state, site, now)
    }
}

fn of_site(told: &HashMap<NodeName, Told>, state: &State, site: &Site, now: Mono) -> Option<SiteUsage> {
    let serving = state.environment(site.current)?;
    let old = site.old.and_then(|old| state.environment(old));
    let mut minutes = [Counts::default(); MINUTES];
    let mut placements = Vec::new();
    for environment in [Some(serving), old].into_iter().flatten() {
        for placement in &environment.placements {
            placements.push(of_placement(told, environment, placement, &mut minutes, now));
        }
    }
    let contract = serving.sheet.peak;
    let sum = minutes.iter().copied().fold(Counts::default(), Counts::plus);
    let mean = sum.over(MINUTES as u64 * MINUTE_MS);
    let reserved = serving.placements.iter().fold(Rates::default(), |sum, it| sum.plus(it.reserved));
    Some(SiteUsage {
        fqdn: site.fqdn.clone(),
        customer: site.customer.clone(),
        contract,
        reserved: reserved.share(2),
        used: placements.iter().fold(Used::default(), |sum, it| sum.plus(it.used)),
        mean,
        excess: excess(&minutes, mean, contract),
        placements,
    })
}

fn of_placement(
    told: &HashMap<NodeName, Told>,
    environment: &Environment,
    placement: &Placement,
    minutes: &mut [Counts; MINUTES],
    now: Mono,
) -> PlacementUsage {
    let told = told.get(&placement.node);
    let series = told.and_then(|told| told.tenants.get(&environment.tenant.number()));
    if let Some(series) = series {
        for (sum, counts) in minutes.iter_mut().zip(series.whole_minutes(now)) {
            *sum = sum.plus(counts);
        }
    }
    let fresh = series.filter(|series| is_fresh(series.last(), now));
    PlacementUsage {
        tenant: environment.tenant,
        node: placement.node.clone(),
        carrier: placement.carrier.clone(),
        reserved: placement.reserved,
        used: fresh.map(super::series::Series::latest).unwrap_or_default(),
        is_heard: told.is_some_and(|told| is_fresh(told.last, now)),
    }
}

fn excess(minutes: &[Counts; MINUTES], mean: Used, contract: Rates) -> Vec<Excess> {
    let of_measure = |measure| {
        let contract = contract.of(measure);
        let above = minutes.iter().filter(|counts| counts.over(MINUTE_MS).of(measure).is_above(contract));
        let minutes = above.count();
        (minutes >= STEADY_MINUTES).then(|| Excess { measure, minutes, mean: mean.of(measure), contract })
    };
    Measure::ALL.into_iter().filter_map(of_measure).collect()
}
