//! What the node needs of the kernel half, as a trait: the pinned maps implement it, and so does a table in tests. The
//! node is the only writer of these maps while it runs.

use std::os::fd::BorrowedFd;

use ipnet::IpNet;
use waf_common::block::BlockValue;
use waf_common::outcome::{Counters, TenantCounters};
use waf_common::service::{Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;

/// What the maps answered; which map, its error says itself.
pub type FilterError = Box<dyn std::error::Error + Send + Sync>;

/// One entry of a block list as it was written: scope number, source prefix, value.
pub type BlockEntry = (u32, IpNet, BlockValue);

/// The kernel half as the node sees it.
pub trait Filter {
    fn services(&self) -> Result<Vec<(ServiceKey, ServiceValue)>, FilterError>;
    /// Writes these and removes all others.
    fn replace_services(&mut self, services: &[(ServiceKey, ServiceValue)]) -> Result<(), FilterError>;
    fn set_worker_set(&mut self, id: u32, workers: &WorkerSet) -> Result<(), FilterError>;
    fn set_socket(&mut self, worker: u16, socket: BorrowedFd<'_>) -> Result<(), FilterError>;
    /// Scope numbers and prefixes; writes these and removes all others.
    fn replace_allow(&mut self, entries: &[(u32, IpNet)]) -> Result<(), FilterError>;
    fn block(&mut self, entry: BlockEntry) -> Result<(), FilterError>;
    fn unblock(&mut self, scope: u32, prefix: IpNet) -> Result<(), FilterError>;
    fn blocks(&self) -> Result<Vec<BlockEntry>, FilterError>;
    fn set_config(&mut self, config: &Config) -> Result<(), FilterError>;
    /// Summed over CPUs.
    fn counters(&self) -> Result<Counters, FilterError>;
    fn tenant_counters(&self) -> Result<Vec<(u32, TenantCounters)>, FilterError>;
}
