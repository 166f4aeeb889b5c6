//! t:removeNulls: NUL bytes removed.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains script" "id:1,phase:2,deny,t:removeNulls"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    match value.contains(&0) {
        true => Cow::Owned(value.iter().copied().filter(|byte| *byte != 0).collect()),
        false => Cow::Borrowed(value),
    }
}
