//! sk_lookup: which listening socket a connection gets. No service address is bound by any socket.

use core::ptr::read_volatile;

use aya_ebpf::bindings::BPF_SK_LOOKUP_F_NO_REUSEPORT;
use aya_ebpf::programs::SkLookupContext;
use waf_common::address::Address;
use waf_common::outcome::Outcome;
use waf_common::service::{CONFIG_ACTIVE, SERVICE_REFUSED};
use waf_common::steer::{Family, socket_slot};

use crate::maps::{CONFIG, SOCKETS};
use crate::{service, steer};

const AF_INET: u32 = 2;

/// Hot: per connection. The chosen worker's listener of the connection's family.
#[inline(always)]
pub fn assign(ctx: &SkLookupContext) -> Outcome {
    if CONFIG.get(0).is_none_or(|config| config.flags & CONFIG_ACTIVE == 0) {
        return Outcome::LookupPass;
    }
    let flow = Flow::of(ctx);
    let Some(service) = service::find(&flow.destination, flow.destination_port, flow.protocol) else {
        return Outcome::LookupPass;
    };
    if service.flags & SERVICE_REFUSED != 0 {
        return Outcome::LookupRefused;
    }
    let worker =
        steer::worker(&service, &flow.source, flow.source_port, &flow.destination, flow.destination_port);
    let Some(worker) = worker else { return Outcome::LookupNoSocket };
    match SOCKETS.redirect_sk_lookup(
        ctx,
        socket_slot(worker, flow.family),
        u64::from(BPF_SK_LOOKUP_F_NO_REUSEPORT),
    ) {
        Ok(()) => Outcome::LookupAssigned,
        Err(_) => Outcome::LookupNoSocket,
    }
}

/// The four-tuple of a look-up: remote is the client.
struct Flow {
    family: Family,
    protocol: u8,
    source: Address,
    source_port: u16,
    destination: Address,
    destination_port: u16,
}

impl Flow {
    /// Fields of both families are read before the branch: the verifier refuses a context pointer chosen by one.
    #[inline(always)]
    fn of(ctx: &SkLookupContext) -> Self {
        let lookup = ctx.lookup;
        // SAFETY: the kernel gives a valid context; the other family's fields read as 0.
        let (family, source4, destination4, source6, destination6) = unsafe {
            (
                read_volatile(&raw const (*lookup).family),
                read_volatile(&raw const (*lookup).remote_ip4),
                read_volatile(&raw const (*lookup).local_ip4),
                words(&raw const (*lookup).remote_ip6),
                words(&raw const (*lookup).local_ip6),
            )
        };
        // SAFETY: as above. The kernel's remote_port is in network byte order, its local_port in the host's.
        let (protocol, source_port, destination_port) = unsafe {
            (
                read_volatile(&raw const (*lookup).protocol) as u8,
                u16::from_be(read_volatile(&raw const (*lookup).remote_port)),
                read_volatile(&raw const (*lookup).local_port) as u16,
            )
        };
        let (family, source, destination) = if family == AF_INET {
            (
                Family::V4,
                Address::from_v4(source4.to_ne_bytes()),
                Address::from_v4(destination4.to_ne_bytes()),
            )
        } else {
            (Family::V6, octets(&source6), octets(&destination6))
        };
        Self { family, protocol, source, source_port, destination, destination_port }
    }
}

/// # Safety
/// `address` must be a field of a live context.
#[inline(always)]
unsafe fn words(address: *const [u32; 4]) -> [u32; 4] {
    let first = address.cast::<u32>();
    // SAFETY: four words lie there, by the type and the caller's promise.
    unsafe {
        [
            read_volatile(first),
            read_volatile(first.add(1)),
            read_volatile(first.add(2)),
            read_volatile(first.add(3)),
        ]
    }
}

/// Four words as they lie in memory: network byte order.
#[inline(always)]
fn octets(words: &[u32; 4]) -> Address {
    let mut octets = [0; 16];
    for (chunk, word) in octets.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    Address { octets }
}
