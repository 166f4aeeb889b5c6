//! The maps, by the names of `waf_common::names`, with BTF so that bpftool prints their fields. User space sizes and
//! pins them.

use aya_ebpf::bindings::{BPF_F_NO_PREALLOC, BPF_F_RDONLY_PROG};
use aya_ebpf::btf_maps::{Array, CpuMap, HashMap, LpmTrie, LruHashMap, PerCpuArray, RingBuf, SockMap};
use aya_ebpf::macros::btf_map;
use waf_common::address::{PrefixKey, PrefixValue};
use waf_common::block::{AllowValue, BlockExactKey, BlockValue, ListKey4, ListKey6};
use waf_common::flow::{FlowKey, FlowValue};
use waf_common::hint::HINT_ENTRIES;
use waf_common::limits::{
    EVENTS_BYTES, FLOWS_MAX, LIST_ENTRIES_MAX, PREFIXES_MAX, SERVICES_MAX, TENANTS_MAX, WORKERS_MAX,
};
use waf_common::outcome::{Counters, TenantCounters};
use waf_common::packet::ParsedFrame;
use waf_common::service::{Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;

const LIST_ENTRIES: usize = LIST_ENTRIES_MAX as usize;
/// A trie has no other form; programs do not write these.
const TRIE_FLAGS: usize = (BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG) as usize;
/// Room for a parsed packet.
pub const SCRATCH_WORDS: usize = 8;
const READ_ONLY: usize = BPF_F_RDONLY_PROG as usize;

/// 0 -> settings. Written by load (passes everything), then by the node; read per packet.
#[btf_map]
pub static CONFIG: Array<Config, 1, READ_ONLY> = Array::new();

/// Service prefix -> its flags. Written by load; read for packets without a service.
#[btf_map]
pub static PREFIXES: LpmTrie<PrefixKey, PrefixValue, { PREFIXES_MAX as usize }, TRIE_FLAGS> = LpmTrie::new();

/// Address, protocol and port -> service. Written by the node; read per packet and per connection.
#[btf_map]
pub static SERVICES: HashMap<ServiceKey, ServiceValue, { SERVICES_MAX as usize }, READ_ONLY> = HashMap::new();

/// Number of a worker set -> its workers. Written by the node; read per connection, with CPUMAP per packet.
#[btf_map]
pub static WORKERS: HashMap<u32, WorkerSet, { SERVICES_MAX as usize }, READ_ONLY> = HashMap::new();

/// Scope and source prefix that bans and lists do not touch. Written by the node; read where a block entry matched.
#[btf_map]
pub static ALLOW4: LpmTrie<ListKey4, AllowValue, LIST_ENTRIES, TRIE_FLAGS> = LpmTrie::new();

/// As ALLOW4, for IPv6 sources.
#[btf_map]
pub static ALLOW6: LpmTrie<ListKey6, AllowValue, LIST_ENTRIES, TRIE_FLAGS> = LpmTrie::new();

/// Scope and source prefix -> why and until when it is dropped; all lengths but those of BLOCK_EXACT. Written by the
/// node; read where BLOCK_HINT says so.
#[btf_map]
pub static BLOCK4: LpmTrie<ListKey4, BlockValue, LIST_ENTRIES, TRIE_FLAGS> = LpmTrie::new();

/// As BLOCK4, for IPv6 sources.
#[btf_map]
pub static BLOCK6: LpmTrie<ListKey6, BlockValue, LIST_ENTRIES, TRIE_FLAGS> = LpmTrie::new();

/// Scope and one source (an address, an IPv4 /24 or an IPv6 /64) -> why and until when it is dropped. Written by the node; read where
/// BLOCK_HINT says so.
#[btf_map]
pub static BLOCK_EXACT: HashMap<BlockExactKey, BlockValue, LIST_ENTRIES, READ_ONLY> = HashMap::new();

/// A bitmap of the sources that may be listed, see [`waf_common::hint`]. Written by the node, before an entry comes and
/// after it went; read per packet.
#[btf_map]
pub static BLOCK_HINT: Array<u64, { HINT_ENTRIES as usize }, READ_ONLY> = Array::new();

/// Connection to a shared address -> its tenant. Written by the node after SNI or Host, removed on close; read where a
/// listed source comes to a shared address.
#[btf_map]
pub static FLOWS: LruHashMap<FlowKey, FlowValue, { FLOWS_MAX as usize }, READ_ONLY> = LruHashMap::new();

/// 0 -> packets by outcome, per CPU. Written here; read by whoever asks.
#[btf_map]
pub static COUNTERS: PerCpuArray<Counters, 1> = PerCpuArray::new();

/// Place of a tenant -> the tenant and its packets, bytes, drops and SYNs, per CPU. Places are given by the node and stand in
/// services and flows; written here; read by whoever asks.
#[btf_map]
pub static TENANT_COUNTERS: PerCpuArray<TenantCounters, { TENANTS_MAX as usize }> = PerCpuArray::new();

/// Ring of [`waf_common::report::Report`]s of sampled drops (the kernel wants a value size of 0). Written here; read by
/// the node.
#[btf_map]
pub static EVENTS: RingBuf<(), { EVENTS_BYTES as usize }> = RingBuf::new();

/// 0 -> the last parse of waf_parse. Written here; read by the test that compares it with the host's.
#[btf_map]
pub static PARSED: Array<ParsedFrame, 1> = Array::new();

/// 0 -> when this CPU last wrote a log line, nanoseconds. Written and read here.
#[btf_map]
pub static LOG_GATE: PerCpuArray<u64, 1> = PerCpuArray::new();

/// 0 -> the parsed packet and when the next drop is reported, per CPU. Written and read here. Not on the stack: there the verifier
/// follows each byte on each path, in a map it does not, and looks at a twentieth of the states.
#[btf_map]
pub static SCRATCH: PerCpuArray<[u64; SCRATCH_WORDS], 1> = PerCpuArray::new();

/// CPU -> its queue for redirected frames. Written by load where CPUMAP is asked for.
#[btf_map]
pub static CPUS: CpuMap<{ WORKERS_MAX }> = CpuMap::new();

/// Worker -> its CPU, the key into CPUS. Written by load, then by the node; read with CPUMAP.
#[btf_map]
pub static WORKER_CPUS: Array<u32, { WORKERS_MAX }, READ_ONLY> = Array::new();

/// Worker -> its listening socket. Written by the node; read per connection.
#[btf_map]
pub static SOCKETS: SockMap<{ WORKERS_MAX }> = SockMap::new();
