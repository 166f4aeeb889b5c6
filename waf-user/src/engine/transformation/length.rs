//! t:length: the number of bytes, in decimal.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@gt 400" "id:1,phase:2,deny,t:length"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(value.len().to_string().into_bytes())
}
