//! All sites and environments at one revision, with what they take of each node kept alongside: a plan for one sheet
//! costs the nodes, not the environments.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::{Environment, Revision, Site, Strength};
use crate::control::capacity::Rates;
use crate::control::plan::{Plan, Step};
use crate::model::{Fqdn, NodeName, TenantId};

/// What is taken of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub reserved: Rates,
    /// IPv4 addresses that are one environment's.
    pub own: BTreeSet<Ipv4Addr>,
    pub tenants: BTreeSet<TenantId>,
}

/// A plan that was made against another revision than the one it is to be applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan was made against revision {made}, but it is {now} by now: plan again")]
pub struct StaleError {
    pub made: u64,
    pub now: u64,
}

/// Sites, environments and the next number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    revision: Revision,
    /// No environment ever had this number or a later one.
    tenant_next: u32,
    sites: BTreeMap<Fqdn, Site>,
    environments: BTreeMap<TenantId, Arc<Environment>>,
    loads: HashMap<NodeName, Load>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            revision: Revision::default(),
            tenant_next: 1,
            sites: BTreeMap::new(),
            environments: BTreeMap::new(),
            loads: HashMap::new(),
        }
    }
}

impl State {
    /// From what a store holds. What is wrong with it, [`State::violations`] tells.
    pub fn new(
        revision: Revision,
        tenant_next: u32,
        sites: impl IntoIterator<Item = Site>,
        environments: impl IntoIterator<Item = Environment>,
    ) -> Self {
        let mut state = Self { revision, tenant_next, ..Self::default() };
        state.sites.extend(sites.into_iter().map(|site| (site.fqdn.clone(), site)));
        environments.into_iter().for_each(|environment| state.put(Arc::new(environment)));
        state
    }

    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Something besides the environments changed, the inventory above all: plans made before are stale.
    pub const fn set_revision(&mut self, revision: Revision) {
        self.revision = revision;
    }

    pub const fn tenant_next(&self) -> u32 {
        self.tenant_next
    }

    pub const fn sites(&self) -> &BTreeMap<Fqdn, Site> {
        &self.sites
    }

    pub const fn environments(&self) -> &BTreeMap<TenantId, Arc<Environment>> {
        &self.environments
    }

    pub fn environment(&self, tenant: TenantId) -> Option<&Arc<Environment>> {
        self.environments.get(&tenant)
    }

    /// None where nothing was ever placed.
    pub fn load(&self, node: &NodeName) -> Option<&Load> {
        self.loads.get(node)
    }

    /// What the zone answers for an environment's name: all addresses of the environment that now serves its site.
    pub fn answers(&self, name: &Fqdn) -> Vec<IpAddr> {
        let site = self.sites.values().find(|site| site.names.contains(name));
        site.and_then(|site| self.environment(site.current)).map(|it| it.addresses()).unwrap_or_default()
    }

    /// Makes a plan true. Every step sets a value, none adds to one: to carry out the same step twice changes nothing.
    ///
    /// # Errors
    /// The plan is not of this revision; nothing was changed.
    pub fn apply(&mut self, plan: &Plan) -> Result<(), StaleError> {
        if plan.revision != self.revision {
            return Err(StaleError { made: plan.revision.0, now: self.revision.0 });
        }
        plan.steps.iter().for_each(|step| self.carry_out(step));
        self.revision = Revision(self.revision.0 + 1);
        Ok(())
    }

    fn carry_out(&mut self, step: &Step) {
        match step {
            Step::Number(next) => self.tenant_next = self.tenant_next.max(*next),
            Step::Open(environment) | Step::Amend(environment) => self.put(Arc::clone(environment)),
            Step::Point(site) => {
                self.sites.insert(site.fqdn.clone(), site.clone());
            }
            Step::Close(tenant) => self.take(*tenant),
            Step::Remove(fqdn) => {
                self.sites.remove(fqdn);
            }
        }
    }

    fn put(&mut self, environment: Arc<Environment>) {
        self.take(environment.tenant);
        for placement in &environment.placements {
            let load = self.loads.entry(placement.node.clone()).or_default();
            load.reserved = load.reserved.plus(placement.reserved);
            load.tenants.insert(environment.tenant);
            if placement.strength == Strength::Own {
                load.own.insert(placement.ipv4);
            }
        }
        self.environments.insert(environment.tenant, environment);
    }

    fn take(&mut self, tenant: TenantId) {
        let Some(environment) = self.environments.remove(&tenant) else { return };
        for placement in &environment.placements {
            let Some(load) = self.loads.get_mut(&placement.node) else { continue };
            load.reserved = load.reserved.minus(placement.reserved);
            load.tenants.remove(&tenant);
            if placement.strength == Strength::Own {
                load.own.remove(&placement.ipv4);
            }
        }
    }
}
