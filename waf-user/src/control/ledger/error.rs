//! Why the ledger did not do as asked, with what to do about it.

use crate::control::audit::aside::AsideError;
use crate::control::document::DocumentError;
use crate::control::environment::{Customer, StaleError};
use crate::control::inventory::InventoryError;
use crate::control::store::StoreError;
use crate::model::{Fqdn, NodeName};
use crate::secret::SecretError;

/// What was to be changed or read, and why it was not. Where it says so nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Nothing was changed: plan again.
    #[error(transparent)]
    Stale(#[from] StaleError),
    #[error("there is no customer {0}: add it first, or mend the name")]
    UnknownCustomer(Customer),
    #[error("customer {customer} has sites ({sites}): remove them first")]
    CustomerHasSites { customer: Customer, sites: usize },
    #[error("no node {0} in the inventory")]
    UnknownNode(NodeName),
    #[error("node {node} serves {environments} environments: drain it and move them first")]
    NodeInUse { node: NodeName, environments: usize },
    #[error(
        "node {node}: {what} cannot change under {environments} environments that it serves: drain it first"
    )]
    NodeServes { node: NodeName, what: &'static str, environments: usize },
    #[error("the inventory would be wrong: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Inventory(Vec<InventoryError>),
    #[error("{0}: its certificate and key did not come with the sheet: upload them again")]
    CertificateMissing(Fqdn),
    #[error("certificate {0} is not in the store")]
    UnknownCertificate(String),
    #[error(
        "this control plane keeps zone {kept}, not {asked}: mend the configuration, or use another store"
    )]
    Zone { kept: Fqdn, asked: Fqdn },
    #[error("an import into this store broke off: run waf import again, it begins anew")]
    ImportUnderWay,
    #[error("{0} was there and is gone: somebody deletes what the store holds")]
    Gone(String),
    #[error("the store holds {place}, which no waf wrote: restore it from a backup")]
    Corrupt { place: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(transparent)]
    Aside(#[from] AsideError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LedgerError {
    /// Whether another writer was first: read again, decide again.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale(_))
    }

    /// Whether nothing was changed and the same call may succeed a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Store(error) | Self::Aside(AsideError::Store(error)) if error.is_passing())
    }
}
