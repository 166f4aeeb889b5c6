//! Which worker gets a flow: one hash and one pick, the same in XDP, in sk_lookup and in tests.

use crate::abi::abi_type;
use crate::address::Address;
use crate::limits::WORKERS_MAX;

abi_type! {
    /// Value of WORKERS: the workers that serve a service. 136 bytes. Written by the node, read per connection.
    pub struct WorkerSet: 136 {
        /// How many of `workers` count; 0 = nobody serves.
        pub count: u32,
        pub _pad: u32,
        /// Indices into SOCKETS and WORKER_CPUS; only the first `count` are valid.
        pub workers: [u16; WORKERS_MAX],
    }
}

impl WorkerSet {
    /// Hot: per connection. The worker for a hash, or nothing where the set is empty.
    #[inline(always)]
    pub fn pick(&self, hash: u32) -> Option<u16> {
        let count = self.count.min(WORKERS_MAX as u32);
        if count == 0 {
            return None;
        }
        // Multiply-shift instead of a remainder: no division, no bias worth naming for count <= 64.
        let slot = ((u64::from(hash) * u64::from(count)) >> 32) as usize;
        // To verifiers before 6.10 a product with an unknown factor may be anything, to the compiler it is in bounds: the
        // check stays only where the compiler cannot see that.
        self.workers.get(core::hint::black_box(slot)).copied()
    }
}

/// Hot: per packet. A hash of the four-tuple; ports in host byte order. Not keyed: it spreads load and hides nothing.
#[inline(always)]
pub fn flow_hash(source: &Address, source_port: u16, destination: &Address, destination_port: u16) -> u32 {
    let mut hash = (u32::from(source_port) << 16) | u32::from(destination_port);
    let mut word = 0;
    while word < 4 {
        hash = mix(hash ^ be_word(&source.octets, word));
        hash = mix(hash ^ be_word(&destination.octets, word));
        word += 1;
    }
    hash
}

/// The finaliser of MurmurHash3 (public domain): every input bit reaches every output bit.
#[inline(always)]
pub(crate) fn mix(mut h: u32) -> u32 {
    h ^= h >> 16;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^= h >> 13;
    h = h.wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

#[inline(always)]
fn be_word(octets: &[u8; 16], word: usize) -> u32 {
    let at = word * 4;
    u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}

#[cfg(test)]
mod tests;
