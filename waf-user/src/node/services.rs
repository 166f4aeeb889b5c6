//! Tenants -> what each address and port serves: the content of SERVICES and WORKERS, and the numbers of the scopes.
//! Pure: no map is touched here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use waf_common::address::Address;
use waf_common::block::{SCOPE_ADDRESS_BIT, SCOPE_NODE, scope_address};
use waf_common::limits::WORKERS_MAX;
use waf_common::service::{SERVICE_REFUSED, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;

use crate::config::{NodeConfig, TenantConfig};
use crate::model::{BanScope, TenantId};

/// IP protocol number of TCP.
const TCP: u8 = 6;

/// Everything that SERVICES and WORKERS are to hold.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    endpoints: BTreeMap<(IpAddr, u16), Shared>,
    addresses: BTreeMap<IpAddr, Shared>,
    address_ids: BTreeMap<IpAddr, u32>,
    /// Worker sets that earlier services name: a number means the same until nobody uses it.
    sets_taken: BTreeSet<u32>,
    tenants: BTreeSet<TenantId>,
}

/// Who is behind an address or port, and which workers serve it.
#[derive(Clone, Debug, Default)]
struct Shared {
    tenants: BTreeSet<TenantId>,
    workers: BTreeSet<u16>,
}

impl Shared {
    fn add(&mut self, tenant: &TenantConfig, workers: &BTreeSet<u16>) {
        self.tenants.insert(tenant.id);
        self.workers.extend(workers);
    }

    /// The sole tenant's number, or 0 where several share.
    fn tenant_number(&self) -> u32 {
        match self.tenants.first() {
            Some(tenant) if self.tenants.len() == 1 => tenant.number(),
            _ => 0,
        }
    }
}

impl ServicePlan {
    /// `previous`: what SERVICES holds now. An address keeps its number, so that bans of an earlier run still mean it; no
    /// other address and no new worker set gets a number that a service still names, so that WORKERS and the lists may be
    /// written before SERVICES.
    pub fn new(config: &NodeConfig, workers: u16, previous: &[(ServiceKey, ServiceValue)]) -> Self {
        let mut plan = Self {
            endpoints: BTreeMap::new(),
            addresses: BTreeMap::new(),
            address_ids: BTreeMap::new(),
            sets_taken: previous.iter().map(|(_, value)| value.worker_set).collect(),
            tenants: config.tenants.iter().map(|tenant| tenant.id).collect(),
        };
        for tenant in &config.tenants {
            let set: BTreeSet<u16> = if tenant.workers.is_empty() {
                (0..workers).collect()
            } else {
                tenant.workers.iter().copied().collect()
            };
            for address in &tenant.addresses {
                plan.addresses.entry(*address).or_default().add(tenant, &set);
                for port in ports(tenant) {
                    plan.endpoints.entry((*address, port)).or_default().add(tenant, &set);
                }
            }
        }
        plan.number_addresses(previous);
        plan
    }

    /// The number of an address that is gone is given to no other yet: bans of the earlier run still bear it.
    fn number_addresses(&mut self, previous: &[(ServiceKey, ServiceValue)]) {
        let taken: BTreeSet<u32> = previous.iter().map(|(_, value)| value.address_id).collect();
        for (key, value) in previous {
            let address = IpAddr::from(Address { octets: key.addr });
            if self.addresses.contains_key(&address) {
                self.address_ids.insert(address, value.address_id);
            }
        }
        let mut free = (1..SCOPE_ADDRESS_BIT).filter(|id| !taken.contains(id));
        for address in self.addresses.keys() {
            if !self.address_ids.contains_key(address)
                && let Some(id) = free.next()
            {
                self.address_ids.insert(*address, id);
            }
        }
    }

    /// Addresses and ports served, with the workers of each.
    pub fn endpoints(&self) -> impl Iterator<Item = ((IpAddr, u16), &BTreeSet<u16>)> {
        self.endpoints.iter().map(|(endpoint, shared)| (*endpoint, &shared.workers))
    }

    /// Service addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.keys().copied()
    }

    /// Tenants that an address serves.
    pub fn tenants_of(&self, address: IpAddr) -> impl Iterator<Item = TenantId> {
        self.addresses.get(&address).into_iter().flat_map(|shared| shared.tenants.iter().copied())
    }

    /// Whether a scope means somebody here.
    pub fn serves(&self, scope: BanScope) -> bool {
        match scope {
            BanScope::Node => true,
            BanScope::Tenant(tenant) => self.tenants.contains(&tenant),
            BanScope::Address(address) => self.address_ids.contains_key(&address),
        }
    }

    /// Whether both serve the same addresses and ports by the same workers: then the same sockets serve them.
    pub fn listens_as(&self, other: &Self) -> bool {
        self.endpoints().eq(other.endpoints())
    }

    /// The content of WORKERS: one set for each union of workers that occurs.
    pub fn worker_sets(&self) -> Vec<(u32, WorkerSet)> {
        self.set_numbers().into_iter().map(|(workers, number)| (number, worker_set(workers))).collect()
    }

    /// The content of SERVICES: each address with port and protocol, and each address alone.
    pub fn services(&self) -> Vec<(ServiceKey, ServiceValue)> {
        self.services_with(0)
    }

    /// The same, answering every new connection with RST.
    pub fn refusing_services(&self) -> Vec<(ServiceKey, ServiceValue)> {
        self.services_with(SERVICE_REFUSED)
    }

    fn services_with(&self, flags: u32) -> Vec<(ServiceKey, ServiceValue)> {
        let sets = self.set_numbers();
        let value = |service_id, address: &IpAddr, shared: &Shared| ServiceValue {
            service_id,
            address_id: self.address_ids.get(address).copied().unwrap_or(0),
            tenant: shared.tenant_number(),
            worker_set: sets.get(&shared.workers).copied().unwrap_or(0),
            flags,
            counters: 0,
        };
        let mut services = Vec::new();
        for (service_id, ((address, port), shared)) in (1..).zip(&self.endpoints) {
            services.push((service_key(*address, *port, TCP), value(service_id, address, shared)));
        }
        for (address, shared) in &self.addresses {
            services.push((service_key(*address, 0, 0), value(0, address, shared)));
        }
        services
    }

    /// The number of a scope in the kernel's lists; nothing for an address that is not served here.
    pub fn scope_number(&self, scope: BanScope) -> Option<u32> {
        match scope {
            BanScope::Node => Some(SCOPE_NODE),
            BanScope::Tenant(tenant) => Some(tenant.number()),
            BanScope::Address(address) => self.address_ids.get(&address).map(|id| scope_address(*id)),
        }
    }

    /// The scope of a number read from the kernel's lists; nothing where its tenant or address is gone.
    pub fn scope(&self, number: u32) -> Option<BanScope> {
        if number == SCOPE_NODE {
            return Some(BanScope::Node);
        }
        if number & SCOPE_ADDRESS_BIT == 0 {
            let tenant = TenantId::new(u64::from(number)).ok()?;
            return self.tenants.contains(&tenant).then_some(BanScope::Tenant(tenant));
        }
        let found = self.address_ids.iter().find(|(_, id)| **id == number & !SCOPE_ADDRESS_BIT)?;
        Some(BanScope::Address(*found.0))
    }

    fn set_numbers(&self) -> BTreeMap<&BTreeSet<u16>, u32> {
        let all = self.endpoints.values().chain(self.addresses.values());
        let sets: BTreeSet<&BTreeSet<u16>> = all.map(|shared| &shared.workers).collect();
        sets.into_iter().zip((1..).filter(|number| !self.sets_taken.contains(number))).collect()
    }
}

/// Ports that a tenant is served on: TLS only with a certificate.
fn ports(tenant: &TenantConfig) -> impl Iterator<Item = u16> {
    let https = tenant.certificate.is_some().then_some(tenant.https_port);
    std::iter::once(tenant.http_port).chain(https)
}

fn service_key(address: IpAddr, port: u16, protocol: u8) -> ServiceKey {
    ServiceKey { addr: Address::from(address).octets, port, protocol, _pad: 0 }
}

fn worker_set(workers: &BTreeSet<u16>) -> WorkerSet {
    let mut set = WorkerSet { count: 0, _pad: 0, workers: [0; WORKERS_MAX] };
    for (slot, worker) in set.workers.iter_mut().zip(workers) {
        *slot = *worker;
        set.count += 1;
    }
    set
}

#[cfg(test)]
mod tests;
