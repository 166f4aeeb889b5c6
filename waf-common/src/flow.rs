//! Connections to shared addresses whose tenant user space has learnt from SNI or Host.

use crate::abi::abi_type;

abi_type! {
    /// Key of FLOWS: a connection as its incoming packets name it. 36 bytes.
    pub struct FlowKey: 36 {
        /// See [`crate::address::Address`].
        pub source: [u8; 16],
        pub destination: [u8; 16],
        /// Host byte order.
        pub source_port: u16,
        pub destination_port: u16,
    }
}

abi_type! {
    /// Value of FLOWS. 8 bytes. Written by the node once it has read SNI or Host, removed when the connection closes.
    pub struct FlowValue: 8 {
        pub tenant: u32,
        /// The tenant's place in TENANT_COUNTERS, or 0.
        pub counters: u32,
    }
}
