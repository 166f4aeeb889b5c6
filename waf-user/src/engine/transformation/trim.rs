//! t:trim: leading and trailing white space removed.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@streq admin" "id:1,phase:2,deny,t:trim"`

use std::borrow::Cow;

use super::is_space;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let from = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let to = value.iter().rposition(|byte| !is_space(byte)).map_or(from, |last| last + 1);
    Cow::Borrowed(value.get(from..to).unwrap_or_default())
}
