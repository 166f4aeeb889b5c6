//! Names that a loader writes and a reader looks for: pin paths, programs, maps. No file is opened here.

/// Version of the map layout: it names the pin directory, and grows with every change of a type in a map.
pub const SCHEMA: u32 = 3;
/// Below this directory each node has `<node>/bpf`, a bpffs of its own.
pub const RUN_DIR: &str = "/run/waf";
/// File system of a node inside `<RUN_DIR>/<node>`.
pub const BPF_DIR: &str = "bpf";

/// Directories of pins inside `<BPF_DIR>/v<SCHEMA>`.
pub const MAPS_DIR: &str = "maps";
pub const PROGRAMS_DIR: &str = "progs";
pub const LINKS_DIR: &str = "links";

/// XDP program: parse, look up, drop, steer.
pub const PROGRAM_XDP: &str = "waf_xdp";
/// sk_lookup program: service address to the chosen worker's listening socket.
pub const PROGRAM_SK_LOOKUP: &str = "waf_sk_lookup";
/// Never attached: writes the parsed frame to PARSED, for the test that compares it with the host's.
pub const PROGRAM_PARSE: &str = "waf_parse";

pub const MAP_CONFIG: &str = "CONFIG";
pub const MAP_PREFIXES: &str = "PREFIXES";
pub const MAP_SERVICES: &str = "SERVICES";
pub const MAP_WORKERS: &str = "WORKERS";
pub const MAP_ALLOW4: &str = "ALLOW4";
pub const MAP_ALLOW6: &str = "ALLOW6";
pub const MAP_BLOCK4: &str = "BLOCK4";
pub const MAP_BLOCK6: &str = "BLOCK6";
pub const MAP_BLOCK_EXACT: &str = "BLOCK_EXACT";
pub const MAP_BLOCK_HINT: &str = "BLOCK_HINT";
pub const MAP_FLOWS: &str = "FLOWS";
pub const MAP_COUNTERS: &str = "COUNTERS";
pub const MAP_TENANT_COUNTERS: &str = "TENANT_COUNTERS";
pub const MAP_EVENTS: &str = "EVENTS";
pub const MAP_CPUS: &str = "CPUS";
pub const MAP_WORKER_CPUS: &str = "WORKER_CPUS";
pub const MAP_SOCKETS: &str = "SOCKETS";
/// The name that aya-log gives its ring.
pub const MAP_LOG: &str = "AYA_LOGS";
/// Not pinned: only the test that runs waf_parse reads it.
pub const MAP_PARSED: &str = "PARSED";

/// All pinned maps, in the order in which `waf kernel load` writes and inspects them.
pub const MAPS: [&str; 18] = [
    MAP_CONFIG,
    MAP_PREFIXES,
    MAP_SERVICES,
    MAP_WORKERS,
    MAP_ALLOW4,
    MAP_ALLOW6,
    MAP_BLOCK4,
    MAP_BLOCK6,
    MAP_BLOCK_EXACT,
    MAP_BLOCK_HINT,
    MAP_FLOWS,
    MAP_COUNTERS,
    MAP_TENANT_COUNTERS,
    MAP_EVENTS,
    MAP_CPUS,
    MAP_WORKER_CPUS,
    MAP_SOCKETS,
    MAP_LOG,
];
