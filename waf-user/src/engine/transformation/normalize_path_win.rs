//! t:normalizePathWin: backslashes to slashes, then as normalizePath. Also spelt normalisePathWin.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_FILENAME "@beginsWith /admin" "id:1,phase:2,deny,t:normalizePathWin"`

use std::borrow::Cow;

use super::normalize_path;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', value).is_none() {
        return normalize_path::apply(value);
    }
    let slashed: Vec<u8> = value.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    Cow::Owned(normalize_path::apply(&slashed).into_owned())
}
