//! What an address and port serve in the kernel's eyes, and the one record of settings the programs read.

use crate::abi::abi_type;
use crate::address::Address;

abi_type! {
    /// Key of SERVICES. 20 bytes. Written by the node, read per packet. `{addr, 0, 0}` is the address-level entry.
    pub struct ServiceKey: 20 {
        /// Destination address, see [`crate::address::Address`].
        pub addr: [u8; 16],
        /// Destination port, host byte order.
        pub port: u16,
        /// IP protocol number; 0 in the address-level entry.
        pub protocol: u8,
        pub _pad: u8,
    }
}

impl ServiceKey {
    /// Hot: per packet and per connection. Made of the words that the kernel's hash reads: a word that was written in bytes
    /// would have to wait for them.
    #[inline(always)]
    pub fn new(address: &Address, port: u16, protocol: u8) -> Self {
        let [a, b, c, d]: [u32; 4] = bytemuck::cast(address.words());
        bytemuck::cast([a, b, c, d, u32::from(port) | u32::from(protocol) << 16])
    }
}

abi_type! {
    /// Value of SERVICES. 24 bytes.
    pub struct ServiceValue: 24 {
        pub service_id: u32,
        /// Number of the address on this node, the low 31 bits of the address scope.
        pub address_id: u32,
        /// The one tenant behind this service, or 0 where several share it by SNI or Host.
        pub tenant: u32,
        /// Key into WORKERS.
        pub worker_set: u32,
        /// `SERVICE_*` bits.
        pub flags: u32,
        /// The tenant's place in TENANT_COUNTERS, or 0; who writes the map fills it in.
        pub counters: u32,
    }
}

impl ServiceValue {
    /// What an out-parameter holds before it is written.
    pub const UNKNOWN: Self =
        Self { service_id: 0, address_id: 0, tenant: 0, worker_set: 0, flags: 0, counters: 0 };
}

/// The service takes no new connection: sk_lookup answers SK_DROP, which the client sees as RST.
pub const SERVICE_REFUSED: u32 = 1;

abi_type! {
    /// The one entry of CONFIG. 16 bytes. `waf kernel load` writes one that passes everything, then the node.
    pub struct Config: 16 {
        /// `CONFIG_*` bits.
        pub flags: u32,
        /// One dropped packet in this many is reported in EVENTS; 0 = none, 1 = every one.
        pub event_sample: u32,
        /// Low and high half of the node's configuration generation, for inspection only.
        pub generation_low: u32,
        pub generation_high: u32,
    }
}

/// The filter acts. Without it every packet passes and only the counters move.
pub const CONFIG_ACTIVE: u32 = 1;
/// Steer with CPUMAP to the CPU of the chosen worker.
pub const CONFIG_CPUMAP: u32 = 2;
/// Drop fragments for service addresses instead of leaving them to the stack.
pub const CONFIG_DROP_FRAGMENTS: u32 = 4;
