//! @detectSQLi: the value is an SQL injection by libinjection's judgement; capture keeps its fingerprint as TX.0.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@detectSQLi" "id:1,phase:2,deny,capture"`

use super::{Hit, hit};
use crate::engine::injection;
use crate::engine::values::Values;

/// @detectSQLi.
#[derive(Clone, Copy, Debug)]
pub struct DetectSqli;

impl DetectSqli {
    /// Hot: per value.
    pub fn matches(self, value: &[u8], _values: &Values) -> Hit {
        hit(injection::fingerprint(value).is_some())
    }
}
