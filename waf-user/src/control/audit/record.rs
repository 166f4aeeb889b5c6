//! One change as the audit log keeps it: who, when, what, and per object the differences without secrets.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::difference::Difference;
use crate::control::environment::{Customer, Revision};
use crate::model::Wall;

/// Who changes something. Names are those of tokens, not of people we know nothing about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// One of us, by the name of the token.
    Operator(String),
    /// A customer, by the name of the token.
    Customer { customer: Customer, token: String },
    /// The control plane by itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Customer { customer, token } => write!(f, "customer {customer} ({token})"),
            Self::System => f.write_str("system"),
        }
    }
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChange {
    /// `site www.example.jp`, `node a1`, `customer acme`.
    pub subject: String,
    /// `open`, `in place`, `move`, `roll back`, `close`, `remove`, `put`.
    pub action: String,
    /// Whose it is; none of what is ours. A customer is shown its own only.
    pub customer: Option<String>,
    pub reasons: Vec<String>,
    pub differences: Vec<Difference>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The revision that it made; none of a change beside the ledger.
    pub revision: Option<Revision>,
    pub at: Wall,
    /// As [`Actor`] shows itself.
    pub actor: String,
    pub changes: Vec<AuditChange>,
}
