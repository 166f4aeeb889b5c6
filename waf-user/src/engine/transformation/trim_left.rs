//! t:trimLeft: leading white space removed.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@beginsWith select" "id:1,phase:2,deny,t:trimLeft"`

use std::borrow::Cow;

use super::is_space;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let from = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    Cow::Borrowed(value.get(from..).unwrap_or_default())
}
