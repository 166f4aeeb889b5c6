//! TENANT_COUNTERS: which of its places counts for which tenant. A tenant keeps its place as long as the pins live, so that
//! its counters only grow; the place stands in its services and flows, which saves the programs a look-up a packet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

type Counters = PerCpuArray<MapData, TenantCounters>;

pub(super) struct Tenants {
    /// For sums over all places: workers, which ask for one, wait for nobody who reads all.
    read: Counters,
    given: Mutex<Given>,
}

/// The places given out: from 1 on without a gap.
struct Given {
    map: Counters,
    places: HashMap<u32, u32>,
    /// The first one that was nobody's at the last look.
    next: u32,
}

impl Tenants {
    /// Adopts what lies in the map.
    pub fn open(pins: &Pins) -> Result<Self, KernelError> {
        let mut given = Given { map: open(pins, NAME)?, places: HashMap::new(), next: 1 };
        given.adopt()?;
        Ok(Self { read: open(pins, NAME)?, given: Mutex::new(given) })
    }

    /// The place of a tenant, a new one where it has none. Tenant 0, and any new one once all places are given, are not
    /// counted.
    pub fn place_of(&self, tenant: u32) -> Result<u32, KernelError> {
        if tenant == 0 { Ok(NO_PLACE) } else { self.given().place_of(tenant) }
    }

    /// Tenants with a place, and their sums over all CPUs, by number.
    pub fn counters(&self) -> Result<Vec<(u32, TenantCounters)>, KernelError> {
        let mut places: Vec<(u32, u32)> =
            self.given().places.iter().map(|(tenant, place)| (*tenant, *place)).collect();
        places.sort_unstable();
        places.into_iter().map(|(tenant, place)| Ok((tenant, sum(&self.read, place)?))).collect()
    }

    /// Places given out.
    pub fn len(&self) -> usize {
        self.given().places.len()
    }

    /// A panic elsewhere leaves it whole: a place is remembered after it was written.
    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Given {
    fn place_of(&mut self, tenant: u32) -> Result<u32, KernelError> {
        if let Some(place) = self.places.get(&tenant) {
            return Ok(*place);
        }
        self.adopt()?;
        if let Some(place) = self.places.get(&tenant) {
            return Ok(*place);
        }
        let place = self.next;
        if place >= TENANTS_MAX {
            return Ok(NO_PLACE);
        }
        let cpus = self.map.get(&place, 0).map_err(read(NAME))?.len();
        let value = TenantCounters { tenant, ..TenantCounters::zeroed() };
        let values = PerCpuValues::try_from(vec![value; cpus])
            .map_err(|source| write(NAME)(MapError::IoError(source)))?;
        self.map.set(place, values, 0).map_err(write(NAME))?;
        self.places.insert(tenant, place);
        self.next += 1;
        Ok(place)
    }

    /// Takes in what was given out since the last look: by an earlier run or, in a take-over, by the other process.
    fn adopt(&mut self) -> Result<(), KernelError> {
        while self.next < TENANTS_MAX {
            let tenant = sum(&self.map, self.next)?.tenant;
            if tenant == 0 {
                break;
            }
            self.places.entry(tenant).or_insert(self.next);
            self.next += 1;
        }
        Ok(())
    }
}

fn sum(map: &Counters, place: u32) -> Result<TenantCounters, KernelError> {
    let values = map.get(&place, 0).map_err(read(NAME))?;
    let mut sum = TenantCounters::zeroed();
    values.iter().for_each(|value| sum.add(value));
    Ok(sum)
}
