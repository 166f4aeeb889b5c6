//! t:base64DecodeExt: base64 to bytes, whatever is no base64 passed over, up to the first `=`.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains <script" "id:1,phase:2,deny,t:base64DecodeExt"`

use std::borrow::Cow;

use super::base64_decode;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let digits = value.iter().copied().take_while(|byte| *byte != b'=');
    Cow::Owned(base64_decode::bytes(digits.filter_map(base64_decode::digit)))
}
