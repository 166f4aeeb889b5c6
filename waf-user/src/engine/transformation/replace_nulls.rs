//! t:replaceNulls: each NUL byte becomes a space.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains a b" "id:1,phase:2,deny,t:replaceNulls"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    match value.contains(&0) {
        true => Cow::Owned(value.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect()),
        false => Cow::Borrowed(value),
    }
}
