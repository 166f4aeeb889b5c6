//! The truth of a control plane, kept in a store and followed by every control process.

mod error;
mod view;

pub use error::LedgerError;
pub use view::{CustomerRecord, View};

use std::sync::Arc;

use tokio::sync::watch;

pub use super::audit::record::Actor;
use super::audit::record::AuditEntry;
use super::environment::{Customer, Revision};
use super::inventory::{Node, NodeState};
use super::plan::{Plan, Wish};
use super::sheet::Upload;
use super::store::{Prefix, Store};
use crate::model::{Fqdn, NodeName, Wall};
use crate::secret::{KeyRing, Secret};

/// What an apply made true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The ledger's revision from now on; that of before where the plan changed nothing.
    pub revision: Revision,
    /// Steps carried out.
    pub steps: usize,
}

/// A certificate chain as PEM text, and its key as PEM text.
pub type ChainAndKey = (String, Secret<Vec<u8>>);

/// The store-backed truth.
pub struct Ledger {}

impl Ledger {
    pub async fn open(_: Arc<dyn Store>, _: Arc<KeyRing>, _: Fqdn) -> Result<Arc<Self>, LedgerError> {
        unimplemented!()
    }
    pub fn view(&self) -> Arc<View> {
        unimplemented!()
    }
    pub fn changed(&self) -> watch::Receiver<Revision> {
        unimplemented!()
    }
    pub fn plan(&self, wishes: &[Wish], now: Wall) -> Plan {
        self.view().plan(wishes, now)
    }
    pub async fn apply(
        &self,
        _: &Plan,
        _: Vec<(Fqdn, Upload)>,
        _: &Actor,
        _: Wall,
    ) -> Result<Applied, LedgerError> {
        unimplemented!()
    }
    pub async fn plan_and_apply(
        &self,
        _: &[Wish],
        _: Vec<(Fqdn, Upload)>,
        _: &Actor,
        _: Wall,
    ) -> Result<(Plan, Applied), LedgerError> {
        unimplemented!()
    }
    pub async fn put_nodes(&self, _: Vec<Node>, _: &Actor, _: Wall) -> Result<Applied, LedgerError> {
        unimplemented!()
    }
    pub async fn set_node_state(
        &self,
        _: &NodeName,
        _: NodeState,
        _: &Actor,
        _: Wall,
    ) -> Result<Applied, LedgerError> {
        unimplemented!()
    }
    pub async fn remove_node(&self, _: &NodeName, _: &Actor, _: Wall) -> Result<Applied, LedgerError> {
        unimplemented!()
    }
    /// Adds a customer, or changes its note; `since` stays that of the first time.
    pub async fn put_customer(&self, _: &CustomerRecord, _: &Actor, _: Wall) -> Result<Applied, LedgerError> {
        unimplemented!()
    }
    pub async fn remove_customer(&self, _: &Customer, _: &Actor, _: Wall) -> Result<Applied, LedgerError> {
        unimplemented!()
    }
    pub async fn certificate(&self, _: &[u8; 32]) -> Result<ChainAndKey, LedgerError> {
        unimplemented!()
    }
    /// Newest first, at most `limit`, all older than `before` where given.
    pub async fn audit(
        &self,
        _before: Option<Revision>,
        _limit: usize,
    ) -> Result<Vec<AuditEntry>, LedgerError> {
        unimplemented!()
    }
    /// `others`: prefixes of the store that are kept by others and belong to the whole.
    pub async fn export(&self, _others: &[Prefix]) -> Result<String, LedgerError> {
        unimplemented!()
    }
    pub async fn import(&self, _text: &str, _: &Actor, _: Wall) -> Result<Applied, LedgerError> {
        unimplemented!()
    }
}
