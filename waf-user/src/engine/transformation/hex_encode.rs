//! t:hexEncode: each byte to two lower-case hexadecimal digits.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_HEADERS:X-Token "@streq 616263" "id:1,phase:1,deny,t:hexEncode"`

use std::borrow::Cow;

use super::hex_digits;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(value.iter().flat_map(|byte| hex_digits(*byte)).collect())
}
