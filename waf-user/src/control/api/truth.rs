//! What the API asks of the truth behind it: [`Known`] at one revision, and the changes that make the next. How it is kept is
//! not known here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::words::{AuditEntries, AuditQuery, Imported};
use crate::control::environment::{Customer, Revision, State};
use crate::control::inventory::{Inventory, Node, NodeState};
use crate::control::plan::{Plan, Policy};
use crate::control::sheet::Upload;
use crate::model::{Fqdn, NodeName, Wall};

/// Everything at one revision.
#[derive(Clone, Debug)]
pub struct Known {
    pub state: State,
    pub inventory: Inventory,
    pub policy: Policy,
    /// Customers with the operator's remarks.
    pub customers: BTreeMap<Customer, String>,
}

/// Who does something, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub token: String,
    pub note: String,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.token, self.note)
    }
}

/// What is to be changed, besides plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// Adds these nodes and changes those that are there.
    Nodes(Vec<Node>),
    NodeState(NodeName, NodeState),
    RemoveNode(NodeName),
    Customer(Customer, String),
    RemoveCustomer(Customer),
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// Another change was first: look again, decide again.
    #[error("{0}")]
    Stale(String),
    /// It cannot be as things are: a node that still serves, a customer that still has sites, nodes that overlap.
    #[error("{0}")]
    Refused(String),
    #[error("{0} is not known here")]
    Unknown(String),
    /// The store cannot be asked now.
    #[error("the store cannot be asked")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a change answers with, some time.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, TruthError>>;

/// The truth: one for all control processes.
pub trait Truth: Send + Sync {
    /// All there is, as of the last revision seen.
    fn known(&self) -> Arc<Known>;

    /// Makes a plan true, with the certificates of its sites, or changes nothing.
    fn apply<'a>(
        &'a self,
        plan: &'a Plan,
        uploads: Vec<(Fqdn, Upload)>,
        who: &'a Who,
        now: Wall,
    ) -> Answer<'a, Revision>;

    fn alter<'a>(&'a self, alteration: Alteration, who: &'a Who, now: Wall) -> Answer<'a, Revision>;

    fn audit(&self, query: AuditQuery) -> Answer<'_, AuditEntries>;

    /// Everything as one text; secrets in it are sealed.
    fn export(&self) -> Answer<'_, String>;

    /// Fills an empty store with what was exported.
    fn import<'a>(&'a self, text: String, who: &'a Who, now: Wall) -> Answer<'a, Imported>;
}
