//! @unconditionalMatch: matches every value.
//!
//! Argument: none.
//!
//! Example: `SecRule REMOTE_ADDR "@unconditionalMatch" "id:1,phase:1,pass,nolog,setvar:tx.seen=1"`

use super::{Hit, hit};
use crate::engine::values::Values;

/// @unconditionalMatch.
#[derive(Clone, Copy, Debug)]
pub struct UnconditionalMatch;

impl UnconditionalMatch {
    /// Hot: per value.
    pub fn matches(self, _value: &[u8], _values: &Values) -> Hit {
        hit(true)
    }
}
