//! What the tests of this module share: configurations out of text and a kernel half made of tables.

use std::cell::RefCell;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::rc::Rc;

use ipnet::IpNet;
use waf_common::block::Reason;
use waf_common::outcome::{Counters, TenantCounters};
use waf_common::service::{Config, ServiceKey, ServiceValue};
use waf_common::steer::WorkerSet;

use super::filter::Filter;
use crate::config::{self, NodeConfig, NodeSettings};
use crate::kernel::{AllowEntry, BlockEntry, KernelError};
use crate::model::TenantId;

/// A configuration with two tenants on one address and one on its own; `more` comes last.
pub fn configured(more: &str) -> (NodeSettings, NodeConfig) {
    parse(&format!(
        "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\nblock = [\"198.51.100.0/24\"]\nallow = [\"203.0.113.9\"]\n{more}\n{}{}{}",
        tenant(1, "10.1.0.10", "block = [\"198.51.100.7\"]"),
        tenant(2, "10.1.0.10", "workers = [1]"),
        tenant(3, "10.1.0.11", "allow = [\"203.0.113.0/24\"]"),
    ))
}

pub fn parse(text: &str) -> (NodeSettings, NodeConfig) {
    config::parse(Path::new("node.toml"), text).unwrap_or_else(|errors| panic!("{errors}"))
}

pub fn tenant(id: u32, address: &str, more: &str) -> String {
    format!(
        "[[tenant]]\nid = {id}\nfqdn = \"t{id}.example.test\"\naddresses = [\"{address}\"]\n\
         origins = [\"http://192.0.2.200:8080\"]\n{more}\n"
    )
}

pub fn id(number: u32) -> TenantId {
    TenantId::new(u64::from(number)).expect("a tenant's number")
}

pub fn net(text: &str) -> IpNet {
    config::prefix::parse_prefix(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Maps made of tables. Clones share them; `steps` is the order of writes.
#[derive(Clone, Default)]
pub struct Tables {
    pub services: Rc<RefCell<Vec<(ServiceKey, ServiceValue)>>>,
    pub blocks: Rc<RefCell<Vec<BlockEntry>>>,
    pub steps: Rc<RefCell<Vec<&'static str>>>,
    pub is_full: Rc<RefCell<bool>>,
    pub configs: Rc<RefCell<Vec<Config>>>,
    /// The step that fails once.
    pub fails: Rc<RefCell<Option<&'static str>>>,
}

impl Tables {
    fn step(&self, name: &'static str) -> Result<(), KernelError> {
        if *self.fails.borrow() == Some(name) {
            self.fails.take();
            return Err(KernelError::Full { max: 0 });
        }
        self.steps.borrow_mut().push(name);
        Ok(())
    }
}

impl Filter for Tables {
    fn config(&self) -> Result<Config, KernelError> {
        Ok(bytemuck::Zeroable::zeroed())
    }

    fn services(&self) -> Result<Vec<(ServiceKey, ServiceValue)>, KernelError> {
        Ok(self.services.borrow().clone())
    }

    fn replace_services(&self, services: &[(ServiceKey, ServiceValue)]) -> Result<(), KernelError> {
        *self.services.borrow_mut() = services.to_vec();
        self.step("services")
    }

    fn set_worker_set(&self, _id: u32, _workers: &WorkerSet) -> Result<(), KernelError> {
        self.step("workers")
    }

    fn set_worker_cpu(&self, _worker: u16, _cpu: u32) -> Result<(), KernelError> {
        self.step("cpu")
    }

    fn set_socket(&self, _worker: u16, _socket: BorrowedFd<'_>) -> Result<(), KernelError> {
        self.step("socket")
    }

    fn replace_allow(&self, _entries: &[AllowEntry]) -> Result<(), KernelError> {
        self.step("allow")
    }

    fn block(&self, entry: BlockEntry) -> Result<(), KernelError> {
        if *self.is_full.borrow() {
            return Err(KernelError::Full { max: 0 });
        }
        // A key has one entry, as in the kernel's map.
        let key = |it: &BlockEntry| (it.reason, it.scope, it.prefix);
        self.blocks.borrow_mut().retain(|it| key(it) != key(&entry));
        self.blocks.borrow_mut().push(entry);
        self.step("block")
    }

    fn unblock(&self, scope: u32, prefix: IpNet) -> Result<(), KernelError> {
        let stays = |entry: &BlockEntry| {
            entry.reason == Reason::List || (entry.scope, entry.prefix) != (scope, prefix)
        };
        self.blocks.borrow_mut().retain(stays);
        self.step("unblock")
    }

    fn replace_blocks(&self, reason: Reason, entries: &[BlockEntry]) -> Result<(), KernelError> {
        self.blocks.borrow_mut().retain(|entry| entry.reason != reason);
        self.blocks.borrow_mut().extend(entries);
        self.step("lists")
    }

    fn blocks(&self) -> Vec<BlockEntry> {
        self.blocks.borrow().clone()
    }

    fn activate(&self, config: &Config) -> Result<(), KernelError> {
        self.configs.borrow_mut().push(*config);
        self.step("config")
    }

    fn clear_flows(&self) -> Result<(), KernelError> {
        Ok(())
    }

    fn counters(&self) -> Result<Counters, KernelError> {
        Ok(bytemuck::Zeroable::zeroed())
    }

    fn tenant_counters(&self) -> Result<Vec<(u32, TenantCounters)>, KernelError> {
        Ok(Vec::new())
    }
}
