//! The shape that each map must have before we use its pin: aya takes a pin of another size without a word, and the
//! kernel then writes past our buffers.

use std::mem::size_of;
use std::path::Path;

use aya::maps::{MapData, MapType};
use waf_common::address::{PrefixKey, PrefixValue};
use waf_common::block::{AllowValue, BlockExactKey, BlockValue, ListKey4, ListKey6};
use waf_common::flow::{FlowKey, FlowValue};
use waf_common::hint::HINT_ENTRIES;
use waf_common::limits::{
    EVENTS_BYTES, FLOWS_MAX, LIST_ENTRIES_MAX, LOG_BYTES, PREFIXES_MAX, SERVICES_MAX, TENANTS_MAX,
    WORKERS_MAX,
};
use waf_common::names;
use waf_common::outcome::{Counters, TenantCounters};
use waf_common::service::{Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;

use super::KernelError;

/// Flags of `linux/bpf.h`.
const NO_PREALLOC: u32 = 1;
const READ_ONLY_PROGRAM: u32 = 1 << 7;

/// `struct bpf_cpumap_val`: queue size and a program's descriptor.
const CPUMAP_VALUE: usize = 8;
/// A trie's key begins with its `prefix_len`.
const PREFIX_LEN: usize = size_of::<u32>();

struct Shape {
    name: &'static str,
    kind: MapType,
    key: usize,
    value: usize,
    entries: u32,
    flags: u32,
}

const fn shape(
    name: &'static str,
    kind: MapType,
    (key, value): (usize, usize),
    entries: u32,
    flags: u32,
) -> Shape {
    Shape { name, kind, key, value, entries, flags }
}

const U32: usize = size_of::<u32>();
const WORKERS: u32 = WORKERS_MAX as u32;
const TRIE: u32 = NO_PREALLOC | READ_ONLY_PROGRAM;
const ALLOW4: (usize, usize) = (PREFIX_LEN + size_of::<ListKey4>(), size_of::<AllowValue>());
const ALLOW6: (usize, usize) = (PREFIX_LEN + size_of::<ListKey6>(), size_of::<AllowValue>());
const BLOCK4: (usize, usize) = (PREFIX_LEN + size_of::<ListKey4>(), size_of::<BlockValue>());
const BLOCK6: (usize, usize) = (PREFIX_LEN + size_of::<ListKey6>(), size_of::<BlockValue>());
const PREFIX: (usize, usize) = (PREFIX_LEN + size_of::<PrefixKey>(), size_of::<PrefixValue>());
const SERVICE: (usize, usize) = (size_of::<ServiceKey>(), size_of::<ServiceValue>());

const EXACT: (usize, usize) = (size_of::<BlockExactKey>(), size_of::<BlockValue>());
const FLOW: (usize, usize) = (size_of::<FlowKey>(), size_of::<FlowValue>());

const SHAPES: [Shape; names::MAPS.len()] = [
    shape(names::MAP_CONFIG, MapType::Array, (U32, size_of::<Config>()), 1, READ_ONLY_PROGRAM),
    shape(names::MAP_PREFIXES, MapType::LpmTrie, PREFIX, PREFIXES_MAX, TRIE),
    shape(names::MAP_SERVICES, MapType::Hash, SERVICE, SERVICES_MAX, READ_ONLY_PROGRAM),
    shape(names::MAP_WORKERS, MapType::Hash, (U32, size_of::<WorkerSet>()), SERVICES_MAX, READ_ONLY_PROGRAM),
    shape(names::MAP_ALLOW4, MapType::LpmTrie, ALLOW4, LIST_ENTRIES_MAX, TRIE),
    shape(names::MAP_ALLOW6, MapType::LpmTrie, ALLOW6, LIST_ENTRIES_MAX, TRIE),
    shape(names::MAP_BLOCK4, MapType::LpmTrie, BLOCK4, LIST_ENTRIES_MAX, TRIE),
    shape(names::MAP_BLOCK6, MapType::LpmTrie, BLOCK6, LIST_ENTRIES_MAX, TRIE),
    shape(names::MAP_BLOCK_EXACT, MapType::Hash, EXACT, LIST_ENTRIES_MAX, READ_ONLY_PROGRAM),
    shape(names::MAP_BLOCK_HINT, MapType::Array, (U32, size_of::<u64>()), HINT_ENTRIES, READ_ONLY_PROGRAM),
    shape(names::MAP_FLOWS, MapType::LruHash, FLOW, FLOWS_MAX, READ_ONLY_PROGRAM),
    shape(names::MAP_COUNTERS, MapType::PerCpuArray, (U32, size_of::<Counters>()), 1, 0),
    shape(
        names::MAP_TENANT_COUNTERS,
        MapType::PerCpuArray,
        (U32, size_of::<TenantCounters>()),
        TENANTS_MAX,
        0,
    ),
    shape(names::MAP_EVENTS, MapType::RingBuf, (0, 0), EVENTS_BYTES, 0),
    shape(names::MAP_CPUS, MapType::CpuMap, (U32, CPUMAP_VALUE), WORKERS, 0),
    shape(names::MAP_WORKER_CPUS, MapType::Array, (U32, U32), WORKERS, READ_ONLY_PROGRAM),
    shape(names::MAP_SOCKETS, MapType::SockMap, (U32, U32), WORKERS, 0),
    shape(names::MAP_LOG, MapType::RingBuf, (0, 0), LOG_BYTES, 0),
];

/// Compares a map with what this version wants at its name.
///
/// # Errors
/// The first difference, or the kernel does not tell.
pub fn check(path: &Path, name: &'static str, map: &MapData) -> Result<(), KernelError> {
    let info = map.info().map_err(|source| KernelError::map("inspect", name, source))?;
    let Some(shape) = SHAPES.iter().find(|shape| shape.name == name) else {
        return Err(KernelError::Missing { what: "map", name });
    };
    let kind = info.map_type().map_err(|source| KernelError::map("inspect", name, source))?;
    for (what, found, expected) in [
        ("type", kind as u32, shape.kind as u32),
        ("key size", info.key_size(), shape.key as u32),
        ("value size", info.value_size(), shape.value as u32),
        ("max_entries", info.max_entries(), shape.entries),
        ("flags", info.map_flags(), shape.flags),
    ] {
        if found != expected {
            return Err(KernelError::Shape { path: path.to_owned(), what, found, expected });
        }
    }
    Ok(())
}
