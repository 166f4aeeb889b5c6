//! A customer's record as a document.

use serde::{Deserialize, Serialize};

use super::{DocumentError, Naming};
use crate::control::environment::Customer;
use crate::control::ledger::CustomerRecord;
use crate::model::Wall;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerDocument {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Milliseconds since 1970.
    pub since: u64,
}

impl From<&CustomerRecord> for CustomerDocument {
    fn from(record: &CustomerRecord) -> Self {
        Self { name: record.name.to_string(), note: record.note.clone(), since: record.since.0 }
    }
}

impl TryFrom<CustomerDocument> for CustomerRecord {
    type Error = DocumentError;

    fn try_from(document: CustomerDocument) -> Result<Self, DocumentError> {
        let naming = Naming { what: "customer", name: &document.name };
        let name = naming.read("name", Customer::new(&document.name))?;
        Ok(Self { name, note: document.note, since: Wall(document.since) })
    }
}
