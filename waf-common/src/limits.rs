//! Every bound that kernel and user space share, each with the reason for its number.

/// Workers of one node. A worker set is one `u64` mask, and one edge host rarely has more cores for us.
pub const WORKERS_MAX: usize = 64;
/// VLAN tags walked: 802.1Q inside 802.1ad; a third tag is no network of ours.
pub const VLAN_TAGS_MAX: usize = 2;
/// IPv6 extension headers walked: RFC 8200 orders at most six, real traffic carries one or two.
pub const IPV6_EXTENSIONS_MAX: usize = 6;
/// Bytes of the packet that the parser may look at: Ethernet, two tags, IPv6 with its extensions, TCP.
pub const PARSE_BYTES_MAX: usize = 512;
/// Services of one node (address, protocol, port): 10,000 tenants with two ports and two families.
pub const SERVICES_MAX: u32 = 40_960;
/// Prefixes of one allow or block list; the tries are sized at load.
pub const LIST_ENTRIES_MAX: u32 = 131_072;
/// Service prefixes of one node: a carrier routes us a few, never hundreds.
pub const PREFIXES_MAX: u32 = 256;
/// Places of TENANT_COUNTERS, the first of which is nobody's: more tenants than a node's services can have.
pub const TENANTS_MAX: u32 = 16_384;
/// Bytes of the event ring: some 3,200 reports of 72 bytes and their headers of 8; many samples of a flood, for the moment
/// that the reader is busy. A power of two, in pages.
pub const EVENTS_BYTES: u32 = 256 * 1024;
/// One dropped packet in this many is reported when the node sets no other rate.
pub const EVENT_SAMPLE_DEFAULT: u32 = 256;
/// Bits of BLOCK_HINT: 100,000 listed sources set one in 40, so that few clean packets pay for the lists; 512 KiB stay in
/// the cache of one core. A power of two: the hash is masked.
pub const HINT_BITS: u32 = 1 << 22;
/// Connections whose tenant is known on shared addresses; the least recently used go first (about 8 MB).
pub const FLOWS_MAX: u32 = 65_536;
/// Bytes of the kernel half's log ring, fixed by the crate that writes it.
pub const LOG_BYTES: u32 = 128 * 1024;
/// Between two log lines of one CPU: what must not occur may occur with every packet.
pub const LOG_INTERVAL_NS: u64 = 1_000_000_000;
