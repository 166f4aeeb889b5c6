//! What the node needs of the kernel half, as a trait: the pinned maps implement it, and so does a table in tests. The
//! node is the only writer of these maps while it runs.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use ipnet::IpNet;
use waf_common::block::Reason;
use waf_common::outcome::{Counters, TenantCounters};
use waf_common::service::{Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;

use crate::kernel::{AllowEntry, BlockEntry, KernelError, Maps};
use crate::model::TenantId;
use crate::proxy::Flows;

/// The kernel half as the node sees it. Every error names its map.
pub trait Filter {
    /// The settings that the programs read.
    fn config(&self) -> Result<Config, KernelError>;
    fn services(&self) -> Result<Vec<(ServiceKey, ServiceValue)>, KernelError>;
    /// Writes these and removes all others.
    fn replace_services(&self, services: &[(ServiceKey, ServiceValue)]) -> Result<(), KernelError>;
    fn set_worker_set(&self, id: u32, workers: &WorkerSet) -> Result<(), KernelError>;
    fn set_worker_cpu(&self, worker: u16, cpu: u32) -> Result<(), KernelError>;
    fn set_socket(&self, worker: u16, socket: BorrowedFd<'_>) -> Result<(), KernelError>;
    /// Writes these and removes all others.
    fn replace_allow(&self, entries: &[AllowEntry]) -> Result<(), KernelError>;
    fn block(&self, entry: BlockEntry) -> Result<(), KernelError>;
    /// Removes the bans of a scope and prefix; a list's entry stays.
    fn unblock(&self, scope: u32, prefix: IpNet) -> Result<(), KernelError>;
    /// Writes these entries of one reason and removes its others.
    fn replace_blocks(&self, reason: Reason, entries: &[BlockEntry]) -> Result<(), KernelError>;
    fn blocks(&self) -> Vec<BlockEntry>;
    fn activate(&self, config: &Config) -> Result<(), KernelError>;
    /// Forgets the connections of an earlier run.
    fn clear_flows(&self) -> Result<(), KernelError>;
    /// Summed over CPUs.
    fn counters(&self) -> Result<Counters, KernelError>;
    fn tenant_counters(&self) -> Result<Vec<(u32, TenantCounters)>, KernelError>;
}

impl Filter for Arc<Maps> {
    fn config(&self) -> Result<Config, KernelError> {
        Maps::config(self)
    }

    fn services(&self) -> Result<Vec<(ServiceKey, ServiceValue)>, KernelError> {
        Maps::services(self)
    }

    fn replace_services(&self, services: &[(ServiceKey, ServiceValue)]) -> Result<(), KernelError> {
        Maps::replace_services(self, services)
    }

    fn set_worker_set(&self, id: u32, workers: &WorkerSet) -> Result<(), KernelError> {
        Maps::set_worker_set(self, id, workers)
    }

    fn set_worker_cpu(&self, worker: u16, cpu: u32) -> Result<(), KernelError> {
        Maps::set_worker_cpu(self, worker, cpu)
    }

    fn set_socket(&self, worker: u16, socket: BorrowedFd<'_>) -> Result<(), KernelError> {
        Maps::set_socket(self, worker, socket)
    }

    fn replace_allow(&self, entries: &[AllowEntry]) -> Result<(), KernelError> {
        Maps::replace_allow(self, entries)
    }

    fn block(&self, entry: BlockEntry) -> Result<(), KernelError> {
        Maps::block(self, entry)
    }

    fn unblock(&self, scope: u32, prefix: IpNet) -> Result<(), KernelError> {
        Maps::unblock(self, scope, prefix).map(drop)
    }

    fn replace_blocks(&self, reason: Reason, entries: &[BlockEntry]) -> Result<(), KernelError> {
        Maps::replace_blocks(self, reason, entries)
    }

    fn blocks(&self) -> Vec<BlockEntry> {
        Maps::blocks(self)
    }

    fn activate(&self, config: &Config) -> Result<(), KernelError> {
        Maps::activate(self, config)
    }

    fn clear_flows(&self) -> Result<(), KernelError> {
        Maps::clear_flows(self)
    }

    fn counters(&self) -> Result<Counters, KernelError> {
        Maps::counters(self)
    }

    fn tenant_counters(&self) -> Result<Vec<(u32, TenantCounters)>, KernelError> {
        Maps::tenant_counters(self)
    }
}

impl Flows for Maps {
    fn set(&self, client: SocketAddr, service: SocketAddr, tenant: TenantId) -> bool {
        self.set_flow(client, service, tenant.number()).is_ok()
    }

    fn remove(&self, client: SocketAddr, service: SocketAddr) {
        // What stays is the least recently used one day.
        let _ = self.remove_flow(client, service);
    }
}
