//! What the store, an export and the audit log hold <-> the types of the core. A document has the fields of its type in
//! plain words and numbers, in a fixed order, so that the same value is always the same text; read back, every bound of
//! the type holds again. No document has a field for a secret.

mod environment;
mod node;
mod people;
mod sheet;

pub use environment::{EnvironmentDocument, PlacementDocument, SiteDocument};
pub use node::NodeDocument;
pub use people::CustomerDocument;
pub use sheet::{CertificateDocument, SheetDocument};

use std::error::Error;

/// A document that no waf wrote.
#[derive(Debug, thiserror::Error)]
#[error("{what} {name}: field {field}")]
pub struct DocumentError {
    pub what: &'static str,
    pub name: String,
    pub field: &'static str,
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// Names the object in the errors of its fields.
#[derive(Clone, Copy)]
struct Naming<'a> {
    what: &'static str,
    name: &'a str,
}

impl Naming<'_> {
    fn read<T, E: Into<Box<dyn Error + Send + Sync>>>(
        self,
        field: &'static str,
        value: Result<T, E>,
    ) -> Result<T, DocumentError> {
        let Self { what, name } = self;
        value.map_err(|source| DocumentError { what, name: name.to_owned(), field, source: source.into() })
    }
}
