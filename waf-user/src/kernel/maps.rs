//! The node's handle of the maps: opened by their pins, without privilege, and written by no other process. Bytes in and
//! out are waf-common's types; what is to stand in them is the node's matter.

use std::collections::HashSet;
use std::hash::Hash;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aya::maps::lpm_trie::Key;
use aya::maps::{Array, HashMap, LpmTrie, Map, MapData, MapError, PerCpuArray, RingBuf, SockMap};
use bytemuck::Zeroable;
use ipnet::IpNet;
use waf_common::address::Address;
use waf_common::block::{AllowValue, ListKey4, ListKey6, Reason, ScopeKind};
use waf_common::flow::FlowValue;
use waf_common::hint::allow_bit;
use waf_common::names;
use waf_common::outcome::{Counters, TenantCounters};
use waf_common::service::{Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;

use super::block_tables::BlockTables;
use super::flows::{Flows, flow_key};
use super::keys::{self, ListKey};
use super::tenants::Tenants;
use super::{BlockEntry, KernelError, KernelLog, Pins, Reports, shape};
use crate::model::NodeName;

/// One source prefix that bans and lists of its scope do not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowEntry {
    /// 0 = node, or a tenant's number.
    pub scope: u32,
    pub prefix: IpNet,
}

/// All maps of a node. Methods take `&self`: a lock inside keeps the table of block entries and the tries together. None
/// is called per request.
pub struct Maps {
    pins: Pins,
    tables: Mutex<Tables>,
    /// Apart from the others: workers write it, and wait for nobody who walks a list.
    flows: Mutex<Flows>,
    tenants: Tenants,
}

struct Tables {
    config: Array<MapData, Config>,
    services: HashMap<MapData, ServiceKey, ServiceValue>,
    workers: HashMap<MapData, u32, WorkerSet>,
    worker_cpus: Array<MapData, u32>,
    sockets: SockMap<MapData>,
    allow4: LpmTrie<MapData, ListKey4, AllowValue>,
    allow6: LpmTrie<MapData, ListKey6, AllowValue>,
    blocks: BlockTables,
    counters: PerCpuArray<MapData, Counters>,
}

impl Maps {
    /// Opens the pins of a node, compares their shapes, and adopts the block entries that lie in them.
    ///
    /// # Errors
    /// A pin is not there or not ours to open, or has another shape than this version's.
    pub fn open(node: &NodeName) -> Result<Self, KernelError> {
        let pins = Pins::of(node);
        let tables = Tables {
            config: open(&pins, names::MAP_CONFIG)?,
            services: open(&pins, names::MAP_SERVICES)?,
            workers: open(&pins, names::MAP_WORKERS)?,
            worker_cpus: open(&pins, names::MAP_WORKER_CPUS)?,
            sockets: open(&pins, names::MAP_SOCKETS)?,
            allow4: open(&pins, names::MAP_ALLOW4)?,
            allow6: open(&pins, names::MAP_ALLOW6)?,
            blocks: BlockTables::open(&pins)?,
            counters: open(&pins, names::MAP_COUNTERS)?,
        };
        let flows = Mutex::new(Flows::open(&pins)?);
        let tenants = Tenants::open(&pins)?;
        Ok(Self { pins, tables: Mutex::new(tables), flows, tenants })
    }

    /// A panic elsewhere leaves each map whole: every write is one call.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flows(&self) -> MutexGuard<'_, Flows> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings that the programs read.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn config(&self) -> Result<Config, KernelError> {
        self.tables().config.get(&0, 0).map_err(read(names::MAP_CONFIG))
    }

    /// Replaces the settings; with `CONFIG_ACTIVE` the filter acts from the next packet on.
    ///
    /// # Errors
    /// The map cannot be written.
    pub fn activate(&self, config: &Config) -> Result<(), KernelError> {
        self.tables().config.set(0, *config, 0).map_err(write(names::MAP_CONFIG))
    }

    /// # Errors
    /// The map cannot be read.
    pub fn services(&self) -> Result<Vec<(ServiceKey, ServiceValue)>, KernelError> {
        self.tables().services.iter().collect::<Result<_, _>>().map_err(read(names::MAP_SERVICES))
    }

    /// The service of a destination; port and protocol 0 ask for the address's own entry.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn service(
        &self,
        destination: Address,
        port: u16,
        protocol: u8,
    ) -> Result<Option<ServiceValue>, KernelError> {
        let key = ServiceKey { addr: destination.octets, port, protocol, _pad: 0 };
        absent_is_none(self.tables().services.get(&key, 0)).map_err(read(names::MAP_SERVICES))
    }

    /// The workers of a set, if it is there.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn worker_set(&self, id: u32) -> Result<Option<WorkerSet>, KernelError> {
        absent_is_none(self.tables().workers.get(&id, 0)).map_err(read(names::MAP_WORKERS))
    }

    /// What the allow lists hold.
    ///
    /// # Errors
    /// A map cannot be read.
    pub fn allows(&self) -> Result<Vec<AllowEntry>, KernelError> {
        let tables = self.tables();
        let keys4: Vec<_> =
            tables.allow4.keys().collect::<Result<_, _>>().map_err(read(names::MAP_ALLOW4))?;
        let keys6: Vec<_> =
            tables.allow6.keys().collect::<Result<_, _>>().map_err(read(names::MAP_ALLOW6))?;
        let pairs =
            keys4.iter().filter_map(keys::from_list4).chain(keys6.iter().filter_map(keys::from_list6));
        Ok(pairs.map(|(scope, prefix)| AllowEntry { scope, prefix }).collect())
    }

    /// Makes SERVICES hold exactly these. What goes makes room for what comes; a service that stays is never away.
    ///
    /// # Errors
    /// The map cannot be written; what was done before the failure is.
    pub fn replace_services(&self, services: &[(ServiceKey, ServiceValue)]) -> Result<(), KernelError> {
        let name = names::MAP_SERVICES;
        let mut tables = self.tables();
        let wanted: HashSet<_> = services.iter().map(|(key, _)| *key).collect();
        let present: Vec<ServiceKey> =
            tables.services.keys().collect::<Result<_, _>>().map_err(read(name))?;
        for stale in present.iter().filter(|key| !wanted.contains(key)) {
            absent_is_done(tables.services.remove(stale)).map_err(write(name))?;
        }
        for (key, value) in services {
            let value = ServiceValue { counters: self.tenants.place_of(value.tenant)?, ..*value };
            tables.services.insert(key, value, 0).map_err(write(name))?;
        }
        Ok(())
    }

    /// # Errors
    /// The map cannot be written.
    pub fn set_worker_set(&self, id: u32, set: &WorkerSet) -> Result<(), KernelError> {
        self.tables().workers.insert(id, set, 0).map_err(write(names::MAP_WORKERS))
    }

    /// The CPU that a worker is pinned to, for CPUMAP.
    ///
    /// # Errors
    /// The map cannot be written.
    pub fn set_worker_cpu(&self, worker: u16, cpu: u32) -> Result<(), KernelError> {
        self.tables().worker_cpus.set(u32::from(worker), cpu, 0).map_err(write(names::MAP_WORKER_CPUS))
    }

    /// Gives a worker's listening socket (dual-stack IPv6, listening) to sk_lookup; it leaves the map when it is closed.
    ///
    /// # Errors
    /// The map cannot be written, or the socket does not listen.
    pub fn set_socket(&self, worker: u16, socket: BorrowedFd<'_>) -> Result<(), KernelError> {
        let socket = socket.as_raw_fd();
        self.tables().sockets.set(u32::from(worker), &socket, 0).map_err(write(names::MAP_SOCKETS))
    }

    /// Makes the allow lists hold exactly these.
    ///
    /// # Errors
    /// A map cannot be written.
    pub fn replace_allow(&self, entries: &[AllowEntry]) -> Result<(), KernelError> {
        let value = AllowValue { reason: Reason::List as u32 };
        let (mut wanted4, mut wanted6) = (Vec::new(), Vec::new());
        for entry in entries {
            match keys::list(entry.scope, entry.prefix) {
                ListKey::V4(key) => wanted4.push(key),
                ListKey::V6(key) => wanted6.push(key),
            }
        }
        let in_use = entries.iter().fold(0, |word, entry| {
            let is_v4 = keys::canonical(entry.prefix).addr().is_ipv4();
            word | allow_bit(ScopeKind::of(entry.scope), is_v4)
        });
        let mut tables = self.tables();
        // Bits before entries come, and away after they went: one too many costs a look-up, one too few the allow.
        tables.blocks.set_allows(|old| old | in_use)?;
        replace_trie(&mut tables.allow4, names::MAP_ALLOW4, &wanted4, value)?;
        replace_trie(&mut tables.allow6, names::MAP_ALLOW6, &wanted6, value)?;
        tables.blocks.set_allows(|_| in_use)
    }

    /// Adds a block entry, or replaces the one of the same scope, prefix and reason.
    ///
    /// # Errors
    /// The list is full or the map cannot be written.
    pub fn block(&self, entry: BlockEntry) -> Result<(), KernelError> {
        let mut tables = self.tables();
        let writes = tables.blocks.list.insert(entry)?;
        tables.blocks.apply(&writes)
    }

    /// Removes the bans of a scope and exact prefix; an entry of a configured list stays. Whether there was one.
    ///
    /// # Errors
    /// The map cannot be written.
    pub fn unblock(&self, scope: u32, prefix: IpNet) -> Result<bool, KernelError> {
        let mut tables = self.tables();
        let writes = tables.blocks.list.remove(scope, prefix, |entry| entry.reason != Reason::List);
        tables.blocks.apply(&writes)?;
        Ok(!writes.is_empty())
    }

    /// Makes the entries of one reason exactly these, and leaves all others: a configuration's lists, an import.
    ///
    /// # Errors
    /// The list is full or a map cannot be written.
    pub fn replace_blocks(&self, reason: Reason, entries: &[BlockEntry]) -> Result<(), KernelError> {
        let mut tables = self.tables();
        let writes = tables.blocks.list.replace(reason, entries)?;
        tables.blocks.apply(&writes)
    }

    /// Removes what has expired at `now_s` (monotonic seconds). Call now and then: expired entries do not match anyway.
    ///
    /// # Errors
    /// A map cannot be written.
    pub fn reap(&self, now_s: u32) -> Result<(), KernelError> {
        let mut tables = self.tables();
        let writes = tables.blocks.list.reap(now_s);
        tables.blocks.apply(&writes)
    }

    /// The real block entries, expired but not yet reaped ones among them.
    pub fn blocks(&self) -> Vec<BlockEntry> {
        self.tables().blocks.list.iter().copied().collect()
    }

    /// Packets by outcome, summed over all CPUs.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn counters(&self) -> Result<Counters, KernelError> {
        let values = self.tables().counters.get(&0, 0).map_err(read(names::MAP_COUNTERS))?;
        let mut sum = Counters::zeroed();
        values.iter().for_each(|value| sum.add(value));
        Ok(sum)
    }

    /// Tenants that had packets, with their sums over all CPUs, by number.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn tenant_counters(&self) -> Result<Vec<(u32, TenantCounters)>, KernelError> {
        self.tenants.counters()
    }

    /// Entries of a map by name; none where a count of keys means nothing.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn len(&self, name: &'static str) -> Result<Option<usize>, KernelError> {
        let tables = self.tables();
        let count = match name {
            names::MAP_SERVICES => count(tables.services.keys()),
            names::MAP_WORKERS => count(tables.workers.keys()),
            names::MAP_ALLOW4 => count(tables.allow4.keys()),
            names::MAP_ALLOW6 => count(tables.allow6.keys()),
            names::MAP_BLOCK4 => count(tables.blocks.trie4.keys()),
            names::MAP_BLOCK6 => count(tables.blocks.trie6.keys()),
            names::MAP_BLOCK_EXACT => count(tables.blocks.exact.keys()),
            names::MAP_FLOWS => return self.flows().len().map(Some),
            names::MAP_TENANT_COUNTERS => return Ok(Some(self.tenants.len())),
            _ => return Ok(None),
        };
        count.map(Some).map_err(read(name))
    }

    /// Says whose connection this is, once SNI or Host has told: from its next packet on a ban of that tenant drops it also
    /// on a shared address. Client first, then the service's address. One call into the kernel, about a microsecond.
    ///
    /// # Errors
    /// The map cannot be written.
    pub fn set_flow(
        &self,
        source: SocketAddr,
        destination: SocketAddr,
        tenant: u32,
    ) -> Result<(), KernelError> {
        let counters = self.tenants.place_of(tenant)?;
        self.flows().set(flow_key(source, destination), FlowValue { tenant, counters })
    }

    /// Forgets a connection when it closes: its ports come again, for another tenant.
    ///
    /// # Errors
    /// The map cannot be written; one that is not there is no error.
    pub fn remove_flow(&self, source: SocketAddr, destination: SocketAddr) -> Result<(), KernelError> {
        self.flows().remove(&flow_key(source, destination))
    }

    /// Forgets all connections: to be called by a node that starts on old pins, before its first one.
    ///
    /// # Errors
    /// The map cannot be read or written.
    pub fn clear_flows(&self) -> Result<(), KernelError> {
        self.flows().clear()
    }

    /// The tenant of a connection to a shared address, where it is known.
    pub fn flow_tenant(&self, source: SocketAddr, destination: SocketAddr) -> Option<u32> {
        self.flows().tenant(&flow_key(source, destination))
    }

    /// The reader of what the kernel half complains of; one at a time.
    ///
    /// # Errors
    /// The ring cannot be opened or mapped.
    pub fn take_log(&self) -> Result<KernelLog, KernelError> {
        let ring: RingBuf<MapData> = open(&self.pins, names::MAP_LOG)?;
        Ok(KernelLog::new(ring))
    }

    /// The reader of sampled drops; one at a time.
    ///
    /// # Errors
    /// The ring cannot be opened or mapped.
    pub fn take_reports(&self) -> Result<Reports, KernelError> {
        let ring: RingBuf<MapData> = open(&self.pins, names::MAP_EVENTS)?;
        Ok(Reports::new(ring))
    }
}

/// Removes what is not wanted, then adds what is missing: there may not be room for both.
fn replace_trie<K: aya::Pod + Eq + Hash, V: aya::Pod>(
    trie: &mut LpmTrie<MapData, K, V>,
    name: &'static str,
    wanted: &[Key<K>],
    value: V,
) -> Result<(), KernelError> {
    let parts = |key: &Key<K>| (key.prefix_len(), key.data());
    let present: Vec<Key<K>> = trie.keys().collect::<Result<_, _>>().map_err(read(name))?;
    let keys: HashSet<_> = wanted.iter().map(parts).collect();
    for stale in present.iter().filter(|key| !keys.contains(&parts(key))) {
        absent_is_done(trie.remove(stale)).map_err(write(name))?;
    }
    for key in wanted {
        trie.insert(key, value, 0).map_err(write(name))?;
    }
    Ok(())
}

/// Opens one pin as a typed map.
pub(super) fn open<M>(pins: &Pins, name: &'static str) -> Result<M, KernelError>
where
    M: TryFrom<Map, Error = MapError>,
{
    let path = pins.map(name);
    let data = MapData::from_pin(&path)
        .map_err(|source| KernelError::Open { path: path.clone(), source: Box::new(source) })?;
    shape::check(&path, name, &data)?;
    Map::from_map_data(data).and_then(M::try_from).map_err(|source| KernelError::map("use", name, source))
}

/// Removing what is not there leaves what was asked for.
pub(super) fn absent_is_done(result: Result<(), MapError>) -> Result<(), MapError> {
    match result {
        Err(MapError::KeyNotFound) => Ok(()),
        Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(nix::libc::ENOENT) => {
            Ok(())
        }
        result => result,
    }
}

fn absent_is_none<V>(result: Result<V, MapError>) -> Result<Option<V>, MapError> {
    match result {
        Err(MapError::KeyNotFound) => Ok(None),
        result => result.map(Some),
    }
}

fn count<K>(mut keys: impl Iterator<Item = Result<K, MapError>>) -> Result<usize, MapError> {
    keys.try_fold(0, |count, key| key.map(|_| count + 1))
}

pub(super) fn read(name: &'static str) -> impl FnOnce(MapError) -> KernelError {
    move |source| KernelError::map("read", name, source)
}

pub(super) fn write(name: &'static str) -> impl FnOnce(MapError) -> KernelError {
    move |source| KernelError::map("write", name, source)
}
