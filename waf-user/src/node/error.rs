//! Why a node does not start, or stops.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use waf_common::limits::SERVICES_MAX;

use crate::config::{InterfaceError, ShippedError};
use crate::event::JournalError;
use crate::kernel::KernelError;

use super::shelf::ShelfError;
use super::snapshot::SnapshotError;
use super::take_over::take::TakeOverError;
use super::user::UserError;

/// What the node was doing when it could not go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Interface(#[from] Box<InterfaceError>),
    #[error("create state directory {path}")]
    StateDir { path: PathBuf, source: io::Error },
    #[error("open the kernel half: run `waf kernel load --config {config}` first")]
    OpenMaps { config: PathBuf, source: Box<KernelError> },
    #[error("use the kernel half as it is: run `waf kernel unload --config {config}`, then load it again")]
    Loaded { config: PathBuf, source: Box<KernelError> },
    #[error("write the kernel's maps")]
    WriteMaps(#[source] Box<KernelError>),
    #[error("watch the kernel's reports")]
    Reports(#[source] io::Error),
    #[error("a node answers on {0} already")]
    Running(PathBuf),
    #[error("listen on {path}")]
    ControlSocket { path: PathBuf, source: io::Error },
    #[error("listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("listen on {address} for [admin]")]
    Admin { address: SocketAddr, source: io::Error },
    #[error("find the CPUs this process may use")]
    Affinity(#[source] nix::Error),
    #[error("tenant {tenant} names worker {worker}, but this node has {count}: set `workers` in [node]")]
    NoSuchWorker { tenant: u32, worker: u16, count: u16 },
    #[error(
        "{count} services (address and port, and each address alone), and the kernel half holds {SERVICES_MAX}"
    )]
    TooManyServices { count: usize },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Snapshot(#[from] Box<SnapshotError>),
    #[error("take up what control said last")]
    Shelf(#[from] ShelfError),
    #[error("serve what control said last")]
    Shipped(#[from] Box<ShippedError>),
    #[error("start a thread or its runtime")]
    Thread(#[source] io::Error),
    #[error("wait for signals")]
    Signals(#[source] io::Error),
    #[error("take over from the running node")]
    TakeOver(#[from] TakeOverError),
    #[error("worker {0} ended by itself")]
    WorkerLost(u16),
}

impl From<KernelError> for NodeError {
    fn from(error: KernelError) -> Self {
        Self::WriteMaps(Box::new(error))
    }
}
