//! What one running node is, for the tasks of its own runtime: what it serves, who enforces, and in which phase of its
//! life it stands.

use std::cell::{Cell, RefCell};
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::enforce::Enforcer;
use super::feedback::Feedback;
use super::shelf::Signed;
use super::snapshot::Lasting;
use super::sync::Uplink;
use crate::config::{NodeConfig, NodeSettings};
use crate::event::Journal;
use crate::kernel::KernelError;
use crate::model::{Generation, Mono};
use crate::proxy::{Command, Observation, Snapshot};
use crate::telemetry::Metrics;

/// Where a node stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Starting,
    #[default]
    Serving,
    /// Another process is about to take over.
    HandingOver,
    Draining,
}

/// How a node with [control] stands with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithControl {
    /// Whether a stream is open.
    pub connected: bool,
    /// Of the document served; 0 = none.
    pub generation: u64,
    /// Why there is no stream, or why the last document was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What `status` tells.
#[derive(Debug, Default)]
pub struct Facts {
    pub generation: Cell<Generation>,
    pub tenants: Cell<usize>,
    pub workers: usize,
    pub phase: Cell<Phase>,
    /// Tenants come from control, which has sent none yet.
    pub waits: Cell<bool>,
    /// None without [control].
    pub control: RefCell<Option<WithControl>>,
}

/// The parts that change while a node runs.
pub(super) struct Standing {
    pub facts: Rc<Facts>,
    pub settings: RefCell<NodeSettings>,
    /// Lists and ban policy of node.toml, and its tenants where there is no [control].
    pub local: RefCell<NodeConfig>,
    /// What control says is served, where there is [control].
    pub document: RefCell<Option<Arc<Signed>>>,
    pub uplink: Option<Uplink>,
    /// node.toml's.
    pub path: RefCell<PathBuf>,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub lasting: Lasting,
    pub enforcer: Rc<RefCell<Enforcer>>,
    pub feedback: Rc<RefCell<Feedback>>,
    pub metrics: Arc<Metrics>,
    pub journal: Journal,
    pub commands: Vec<mpsc::Sender<Command>>,
    /// Weak: the feedback loop ends with the last worker.
    pub observed: mpsc::WeakSender<Vec<Observation>>,
    /// Second handles of each worker's listening sockets, to give them away or to write them once more. A socket stays
    /// open until these are gone too.
    pub sockets: RefCell<Vec<Vec<TcpListener>>>,
    pub cpus: Vec<usize>,
}

impl Standing {
    /// Tells metrics and status that a stream is open, or why there is none.
    pub fn connected(&self, problem: Option<&str>) {
        self.metrics.control_connected(problem.is_none());
        if let Some(control) = self.facts.control.borrow_mut().as_mut() {
            control.connected = problem.is_none();
            control.problem = problem.map(str::to_owned);
        }
    }

    /// The same of a document: served, or refused for a reason.
    pub fn served(&self, generation: u64, problem: Option<&str>) {
        if problem.is_none() {
            self.metrics.document_served(generation);
        }
        if let Some(control) = self.facts.control.borrow_mut().as_mut() {
            control.problem = problem.map(str::to_owned);
            if problem.is_none() {
                control.generation = generation;
            }
        }
    }

    pub fn workers(&self) -> u16 {
        u16::try_from(self.facts.workers).unwrap_or(u16::MAX)
    }

    /// Becomes the writer of the kernel's maps, or becomes it again.
    ///
    /// # Errors
    /// A map cannot be written.
    pub fn take_up(&self) -> Result<(), KernelError> {
        let sockets = self.sockets.borrow();
        let first = sockets.iter().filter_map(|own| own.first()).map(AsFd::as_fd);
        let workers: Vec<(BorrowedFd<'_>, Option<usize>)> =
            first.enumerate().map(|(worker, socket)| (socket, self.cpus.get(worker).copied())).collect();
        let mut enforcer = self.enforcer.borrow_mut();
        enforcer.take_up(&self.settings.borrow(), self.facts.generation.get(), &workers, Mono::now())
    }
}
