//! t:trimRight: trailing white space removed.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@endsWith --" "id:1,phase:2,deny,t:trimRight"`

use std::borrow::Cow;

use super::is_space;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let to = value.iter().rposition(|byte| !is_space(byte)).map_or(0, |last| last + 1);
    Cow::Borrowed(value.get(..to).unwrap_or_default())
}
