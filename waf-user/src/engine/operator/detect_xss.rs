//! @detectXSS: the value is a script injection by libinjection's judgement.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@detectXSS" "id:1,phase:2,deny"`

use super::{Hit, hit};
use crate::engine::injection;
use crate::engine::values::Values;

/// @detectXSS.
#[derive(Clone, Copy, Debug)]
pub struct DetectXss;

impl DetectXss {
    /// Hot: per value.
    pub fn matches(self, value: &[u8], _values: &Values) -> Hit {
        hit(injection::is_xss(value))
    }
}
