//! TENANT_COUNTERS: which of its places counts for which tenant. A tenant keeps its place as long as the pins live, so that
//! its counters only grow; the place stands in its services and flows, which saves the programs a look-up a packet.

use std::collections::HashMap;

use aya::maps::{MapData, MapError, PerCpuArray, PerCpuValues};
use bytemuck::Zeroable;
use waf_common::limits::TENANTS_MAX;
use waf_common::names;
use waf_common::outcome::TenantCounters;

use super::maps::{open, read, write};
use super::{KernelError, Pins};

const NAME: &str = names::MAP_TENANT_COUNTERS;
/// Stands in services and flows of a tenant that is not counted.
const NO_PLACE: u32 = 0;

pub(super) struct Tenants {
    map: PerCpuArray<MapData, TenantCounters>,
    places: HashMap<u32, u32>,
}

impl Tenants {
    /// Adopts what lies in the map: places are given out from 1 on without a gap.
    pub fn open(pins: &Pins) -> Result<Self, KernelError> {
        let mut tenants = Self { map: open(pins, NAME)?, places: HashMap::new() };
        for place in 1..TENANTS_MAX {
            match tenants.at(place)?.tenant {
                0 => break,
                tenant => tenants.places.insert(tenant, place),
            };
        }
        Ok(tenants)
    }

    /// The place of a tenant, a new one where it has none. Tenant 0, and any new one once all places are given, are not
    /// counted.
    pub fn place_of(&mut self, tenant: u32) -> Result<u32, KernelError> {
        if let Some(place) = self.places.get(&tenant) {
            return Ok(*place);
        }
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX).saturating_add(1);
        if tenant == 0 || next >= TENANTS_MAX {
            return Ok(NO_PLACE);
        }
        let cpus = self.map.get(&next, 0).map_err(read(NAME))?.len();
        let value = TenantCounters { tenant, ..TenantCounters::zeroed() };
        let values = PerCpuValues::try_from(vec![value; cpus])
            .map_err(|source| write(NAME)(MapError::IoError(source)))?;
        self.map.set(next, values, 0).map_err(write(NAME))?;
        self.places.insert(tenant, next);
        Ok(next)
    }

    /// Tenants with a place, and their sums over all CPUs, by number.
    pub fn counters(&self) -> Result<Vec<(u32, TenantCounters)>, KernelError> {
        let mut counters = Vec::with_capacity(self.places.len());
        for (tenant, place) in &self.places {
            counters.push((*tenant, self.at(*place)?));
        }
        counters.sort_unstable_by_key(|(tenant, _)| *tenant);
        Ok(counters)
    }

    /// Places given out.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    fn at(&self, place: u32) -> Result<TenantCounters, KernelError> {
        let values = self.map.get(&place, 0).map_err(read(NAME))?;
        let mut sum = TenantCounters::zeroed();
        values.iter().for_each(|value| sum.add(value));
        Ok(sum)
    }
}
