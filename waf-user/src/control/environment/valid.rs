//! Whether a state keeps what customers are promised, looked at from the outside: it shares no code with the planner.
//! O(environments); for tests, for imports and for an operator who doubts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::{Environment, Placement, State, Strength};
use crate::control::capacity::{Measure, Rates};
use crate::control::inventory::{Inventory, Node};
use crate::model::{Carrier, Fqdn, NodeName, TenantId};

/// A promise that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("environment {tenant} lies at {carriers} carriers, not at two")]
    Carriers { tenant: TenantId, carriers: usize },
    #[error("environment {tenant} has not as many placements at one carrier as at the other")]
    Uneven { tenant: TenantId },
    #[error("environment {tenant} at carrier {carrier}: less than the peak is reserved")]
    Peak { tenant: TenantId, carrier: Carrier },
    #[error("environment {tenant}: no node {node} at that carrier")]
    Node { tenant: TenantId, node: NodeName },
    #[error("environment {tenant} has two placements on node {node}")]
    SameNode { tenant: TenantId, node: NodeName },
    #[error("environment {tenant}: node {node} lies outside its residency")]
    Residency { tenant: TenantId, node: NodeName },
    #[error("environment {tenant}: {address} is no such address of node {node}")]
    Address { tenant: TenantId, node: NodeName, address: IpAddr },
    #[error("{address} is that of environment {tenant} and of another")]
    Taken { tenant: TenantId, address: IpAddr },
    #[error("two environments of {fqdn} share {address}")]
    SharedBySite { fqdn: Fqdn, address: IpAddr },
    #[error("node {node}: {reserved} {measure} reserved, {line} is the line")]
    OverLine { node: NodeName, measure: Measure, reserved: u64, line: u64 },
    #[error("environment {0} has a number that is yet to be given")]
    Number(TenantId),
    #[error("site {0} has an environment that is not its own, or none")]
    Site(Fqdn),
    #[error("environment {0} serves no site")]
    Orphan(TenantId),
    #[error("name {0} is that of two sites")]
    Name(Fqdn),
    #[error("the load kept for node {0} is not that of its placements")]
    Load(NodeName),
}

impl State {
    /// Everything that is not as it must be; nodes that lost capacity since show up too.
    pub fn violations(&self, inventory: &Inventory) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut sums: HashMap<&NodeName, Rates> = HashMap::new();
        let mut own: BTreeMap<IpAddr, TenantId> = BTreeMap::new();
        for environment in self.environments().values() {
            find_in_environment(environment, inventory, &mut found);
            if environment.tenant.number() >= self.tenant_next() {
                found.push(Violation::Number(environment.tenant));
            }
            for placement in &environment.placements {
                let sum = sums.entry(&placement.node).or_default();
                *sum = sum.plus(placement.reserved);
                let mut alone: Vec<IpAddr> = placement.ipv6.map(IpAddr::V6).into_iter().collect();
                if placement.strength == Strength::Own {
                    alone.push(IpAddr::V4(placement.ipv4));
                }
                for address in alone {
                    if own.insert(address, environment.tenant).is_some() {
                        found.push(Violation::Taken { tenant: environment.tenant, address });
                    }
                }
            }
        }
        self.find_in_nodes(inventory, &sums, &mut found);
        self.find_in_sites(&mut found);
        found
    }

    fn find_in_nodes(
        &self,
        inventory: &Inventory,
        sums: &HashMap<&NodeName, Rates>,
        found: &mut Vec<Violation>,
    ) {
        for node in inventory.nodes() {
            let sum = sums.get(&node.name).copied().unwrap_or_default();
            if self.load(&node.name).map(|load| load.reserved).unwrap_or_default() != sum {
                found.push(Violation::Load(node.name.clone()));
            }
            for measure in Measure::ALL {
                let (reserved, line) = (sum.of(measure), node.capacity.of(measure) * 80 / 100);
                if reserved * 100 > node.capacity.of(measure) * 80 {
                    found.push(Violation::OverLine { node: node.name.clone(), measure, reserved, line });
                }
            }
        }
    }

    fn find_in_sites(&self, found: &mut Vec<Violation>) {
        let mut serving: BTreeSet<TenantId> = BTreeSet::new();
        let mut names: BTreeSet<&Fqdn> = BTreeSet::new();
        for site in self.sites().values() {
            let both = [Some(site.current), site.old];
            let both: Vec<_> = both.into_iter().flatten().map(|tenant| self.environment(tenant)).collect();
            serving.extend([Some(site.current), site.old].into_iter().flatten());
            let is_own = |it: &Environment| {
                it.sheet.fqdn == site.fqdn && it.customer == site.customer && site.names.contains(&it.name)
            };
            if !both.iter().all(|environment| environment.is_some_and(|it| is_own(it))) {
                found.push(Violation::Site(site.fqdn.clone()));
            }
            if let [Some(current), Some(old)] = both.as_slice() {
                let old = old.addresses();
                for address in current.addresses().into_iter().filter(|address| old.contains(address)) {
                    found.push(Violation::SharedBySite { fqdn: site.fqdn.clone(), address });
                }
            }
            for name in site.names.iter().filter(|name| !names.insert(name)) {
                found.push(Violation::Name(name.clone()));
            }
        }
        let orphans = self.environments().keys().filter(|tenant| !serving.contains(tenant));
        found.extend(orphans.map(|tenant| Violation::Orphan(*tenant)));
    }
}

fn find_in_environment(environment: &Environment, inventory: &Inventory, found: &mut Vec<Violation>) {
    let tenant = environment.tenant;
    let mut carriers: BTreeMap<&Carrier, (usize, Rates)> = BTreeMap::new();
    let mut nodes: BTreeSet<&NodeName> = BTreeSet::new();
    for placement in &environment.placements {
        let (count, sum) = carriers.entry(&placement.carrier).or_default();
        *count += 1;
        *sum = sum.plus(placement.reserved);
        if !nodes.insert(&placement.node) {
            found.push(Violation::SameNode { tenant, node: placement.node.clone() });
        }
        match inventory.node(&placement.node) {
            Some(node) if node.carrier == placement.carrier => {
                if node.residency != environment.sheet.residency {
                    found.push(Violation::Residency { tenant, node: node.name.clone() });
                }
                find_in_addresses(tenant, placement, node, found);
            }
            _ => found.push(Violation::Node { tenant, node: placement.node.clone() }),
        }
    }
    if carriers.len() != 2 {
        found.push(Violation::Carriers { tenant, carriers: carriers.len() });
    }
    let counts: BTreeSet<usize> = carriers.values().map(|(count, _)| *count).collect();
    if counts.len() > 1 {
        found.push(Violation::Uneven { tenant });
    }
    for (carrier, (_, sum)) in carriers {
        if !environment.sheet.peak.within(sum) {
            found.push(Violation::Peak { tenant, carrier: carrier.clone() });
        }
    }
}

fn find_in_addresses(tenant: TenantId, placement: &Placement, node: &Node, found: &mut Vec<Violation>) {
    let shared = node.ipv4.shared() == Some(placement.ipv4);
    let fits = node.ipv4.contains(placement.ipv4) && shared == (placement.strength == Strength::Shared);
    let node_v6 = node.ipv6.is_none_or(|prefix| placement.ipv6.is_some_and(|own| prefix.contains(&own)));
    let mut wrong = |address| {
        found.push(Violation::Address { tenant, node: node.name.clone(), address });
    };
    if !fits {
        wrong(IpAddr::V4(placement.ipv4));
    }
    if let Some(address) = placement.ipv6.filter(|_| !node_v6) {
        wrong(IpAddr::V6(address));
    }
}
