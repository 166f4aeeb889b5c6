//! Why nothing was exported or imported, with what to do about it.

use crate::control::ledger::LedgerError;
use crate::control::store::StoreError;
use crate::secret::SecretError;

/// What was wrong with the text or the store.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("the text is no export: {0}")]
    Text(#[source] serde_json::Error),
    #[error("the export is of version {0}, this program reads version 1: use the program that wrote it")]
    Version(u32),
    #[error("{0} is no key of an export: the text was changed by hand, or by another program")]
    Key(String),
    #[error("{0} holds digits that are none: the text was cut or changed")]
    Value(String),
    #[error("the export has no {0}: the text was cut or changed")]
    Missing(String),
    #[error(
        "{0} is sealed with a key that is not in the key file: import with the key file of the control plane that was exported"
    )]
    Sealed(String, #[source] SecretError),
    #[error("what the export describes cannot be: {0}")]
    Violation(String),
    #[error("the store is not empty: import into one that no waf control has opened yet")]
    NotEmpty,
    #[error("changes came faster than they could be read: try again when fewer come")]
    Busy,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
