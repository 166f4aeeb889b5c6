//! Step 9: the worker of a flow, and its CPU. sk_lookup asks the same question and gets the same answer.

use aya_ebpf::bindings::xdp_action;
use waf_common::address::Address;
use waf_common::packet::Packet;
use waf_common::service::{CONFIG_CPUMAP, Config, ServiceValue};
use waf_common::steer::flow_hash;

use crate::complain;
use crate::maps::{CPUS, WORKER_CPUS, WORKERS};

/// Hot: per connection, with CPUMAP per packet. The worker of a flow within the service's set.
#[inline(always)]
pub fn worker(
    service: &ServiceValue,
    source: &Address,
    source_port: u16,
    destination: &Address,
    destination_port: u16,
) -> Option<u16> {
    let Some(set) = WORKERS.get_ptr(service.worker_set) else {
        complain::no_worker_set(service);
        return None;
    };
    // SAFETY: entries live as long as the program runs; a writer replacing one leaves old or new indices, each valid.
    let worker =
        unsafe { &*set }.pick(flow_hash(source, source_port, destination, destination_port));
    if worker.is_none() {
        complain::empty_worker_set(service);
    }
    worker
}

/// Hot: per packet. Redirects to the worker's CPU where that is set and known; else the packet passes here.
#[inline(never)]
pub fn to_worker_cpu(config: &Config, packet: &Packet, service: &ServiceValue) -> bool {
    if config.flags & CONFIG_CPUMAP == 0 {
        return false;
    }
    let Packet { source, source_port, destination, destination_port, .. } = packet;
    let worker = worker(service, source, *source_port, destination, *destination_port);
    match worker.and_then(|worker| WORKER_CPUS.get(u32::from(worker))) {
        Some(cpu) => CPUS.redirect(*cpu, u64::from(xdp_action::XDP_PASS)).is_ok(),
        None => false,
    }
}
