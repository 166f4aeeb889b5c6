//! @noMatch: never matches.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_URI "@noMatch" "id:1,phase:1,deny"`

use super::{Hit, hit};
use crate::engine::values::Values;

/// @noMatch.
#[derive(Clone, Copy, Debug)]
pub struct NoMatch;

impl NoMatch {
    /// Hot: per value.
    pub fn matches(self, _value: &[u8], _values: &Values) -> Hit {
        hit(false)
    }
}
