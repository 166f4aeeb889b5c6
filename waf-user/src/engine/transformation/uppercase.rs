//! t:uppercase: ASCII letters to upper case.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_METHOD "@streq POST" "id:1,phase:2,deny,t:uppercase"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    match value.iter().any(u8::is_ascii_lowercase) {
        true => Cow::Owned(value.to_ascii_uppercase()),
        false => Cow::Borrowed(value),
    }
}
