//! @inspectFile, @fuzzyHash, @gsbLookup, @rsub, @validateHash, @validateSchema, @validateDTD: known, and refused with the
//! reason: each needs a program, a service or a rewriting that this engine does not have.
//!
//! Argument: any.
//!
//! Example: none is accepted.

use std::convert::Infallible;

use super::{ArgumentError, Hit};
use crate::engine::values::Values;

/// An operator that no rule can have.
#[derive(Clone, Copy, Debug)]
pub struct Refused(Infallible);

impl Refused {
    /// # Errors
    /// Always.
    pub fn new(operator: &'static str, reason: &str) -> Result<Self, ArgumentError> {
        Err(ArgumentError::Malformed { operator, reason: reason.to_owned() })
    }

    /// Hot: never.
    pub fn matches(self, _value: &[u8], _values: &Values) -> Hit {
        match self.0 {}
    }
}
