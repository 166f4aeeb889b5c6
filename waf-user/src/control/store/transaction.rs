//! Guards and operations -> a [`Transaction`] within the bounds of every engine. Nothing is sent here.

use std::collections::HashSet;
use std::fmt;

use super::limits::{OPERATIONS_MAX, TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX};
use super::{Entry, Key, LeaseId, Revision, StoreError};

/// What must hold for a transaction to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// There is no such entry.
    Absent(Key),
    /// The entry is still the one that this revision put.
    ModifiedAt(Key, Revision),
}

impl Guard {
    /// That an entry is as it was read, or still missing where none was found.
    pub fn unchanged(key: &Key, read: Option<&Entry>) -> Self {
        match read {
            Some(entry) => Self::ModifiedAt(key.clone(), entry.modified),
            None => Self::Absent(key.clone()),
        }
    }

    pub fn key(&self) -> &Key {
        match self {
            Self::Absent(key) | Self::ModifiedAt(key, _) => key,
        }
    }
}

/// What a transaction does. `Debug` tells a value's length only.
#[derive(Clone, PartialEq, Eq)]
pub enum Operation {
    Put {
        key: Key,
        value: Vec<u8>,
        /// The entry goes when this lease does; one put without a lease stays, also where it had one before.
        lease: Option<LeaseId>,
    },
    /// Of a key that is not there: nothing.
    Delete(Key),
}

impl Operation {
    pub fn put(key: &Key, value: impl Into<Vec<u8>>) -> Self {
        Self::Put { key: key.clone(), value: value.into(), lease: None }
    }

    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete(key) => key,
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { key, value, .. } => write!(f, "put {key} ({} bytes)", value.len()),
            Self::Delete(key) => write!(f, "delete {key}"),
        }
    }
}

/// Guards and operations that any engine takes. What exceeds a bound is split by whoever makes it: into transactions of
/// their own, or into a generation ([`super::Series`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    guards: Vec<Guard>,
    operations: Vec<Operation>,
}

impl Transaction {
    /// # Errors
    /// More than [`OPERATIONS_MAX`] guards or operations, a value over [`VALUE_BYTES_MAX`], all of it over
    /// [`TRANSACTION_BYTES_MAX`], or two operations on one key.
    pub fn new(guards: Vec<Guard>, operations: Vec<Operation>) -> Result<Self, StoreError> {
        for (what, count) in [("guards", guards.len()), ("operations", operations.len())] {
            if count > OPERATIONS_MAX {
                return Err(StoreError::TooMany { what, count });
            }
        }
        let mut keys = HashSet::new();
        let mut bytes: usize = guards.iter().map(|guard| guard.key().as_str().len()).sum();
        for operation in &operations {
            let key = operation.key();
            if !keys.insert(key) {
                return Err(StoreError::TwiceInOne(key.clone()));
            }
            bytes += key.as_str().len();
            if let Operation::Put { value, .. } = operation {
                if value.len() > VALUE_BYTES_MAX {
                    return Err(StoreError::ValueBytes { key: key.clone(), bytes: value.len() });
                }
                bytes += value.len();
            }
        }
        if bytes > TRANSACTION_BYTES_MAX {
            return Err(StoreError::TransactionBytes { bytes });
        }
        Ok(Self { guards, operations })
    }

    /// One entry, as it was read or not there, put anew.
    ///
    /// # Errors
    /// As [`Transaction::new`].
    pub fn replace(key: &Key, read: Option<&Entry>, value: impl Into<Vec<u8>>) -> Result<Self, StoreError> {
        Self::new(vec![Guard::unchanged(key, read)], vec![Operation::put(key, value)])
    }

    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }

    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

#[cfg(test)]
mod tests;
