//! @validateUrlEncoding: the value holds a percent sign that two hexadecimal digits do not follow.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_URI_RAW "@validateUrlEncoding" "id:1,phase:1,deny"`

use super::{Hit, hit};
use crate::engine::values::Values;

/// @validateUrlEncoding.
#[derive(Clone, Copy, Debug)]
pub struct ValidateUrlEncoding;

impl ValidateUrlEncoding {
    /// Hot: per value.
    pub fn matches(self, value: &[u8], _values: &Values) -> Hit {
        let digit = |at: usize| value.get(at).is_some_and(u8::is_ascii_hexdigit);
        hit(memchr::memchr_iter(b'%', value).any(|at| !digit(at + 1) || !digit(at + 2)))
    }
}
