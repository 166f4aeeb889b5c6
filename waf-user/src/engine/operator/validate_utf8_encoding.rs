//! @validateUtf8Encoding: the value is no valid UTF-8: cut or overlong sequences, surrogates, past U+10FFFF.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@validateUtf8Encoding" "id:1,phase:2,deny"`

use super::{Hit, hit};
use crate::engine::values::Values;

/// @validateUtf8Encoding.
#[derive(Clone, Copy, Debug)]
pub struct ValidateUtf8Encoding;

impl ValidateUtf8Encoding {
    /// Hot: per value.
    pub fn matches(self, value: &[u8], _values: &Values) -> Hit {
        hit(std::str::from_utf8(value).is_err())
    }
}
