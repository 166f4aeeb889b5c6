//! t:none: drops the transformations before it, those of SecDefaultAction included; the value itself stays.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@rx x" "id:1,phase:2,deny,t:none"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(value)
}
