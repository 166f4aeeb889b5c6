//! The record of one sampled packet in the EVENTS ring.

use crate::abi::abi_type;

abi_type! {
    /// One sampled packet. 72 bytes; written by waf_xdp, read by the node. Widest fields first: no padding inside.
    pub struct Report: 72 {
        /// `bpf_ktime_get_ns`: CLOCK_MONOTONIC.
        pub time_ns: u64,
        /// Source address, see [`crate::address::Address`].
        pub source: [u8; 16],
        pub destination: [u8; 16],
        /// An [`crate::outcome::Outcome`] number.
        pub outcome: u32,
        /// Scope of the list entry that matched, or 0.
        pub scope: u32,
        /// A [`crate::block::Reason`] number, or 0.
        pub reason: u32,
        /// The service's tenant, or 0.
        pub tenant: u32,
        pub packet_len: u32,
        pub sample: u32,
        /// Host byte order.
        pub source_port: u16,
        pub destination_port: u16,
        pub protocol: u8,
        pub _pad: [u8; 3],
    }
}
