//! t:lowercase: ASCII letters to lower case.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_METHOD "@streq post" "id:1,phase:2,deny,t:lowercase"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    match value.iter().any(u8::is_ascii_uppercase) {
        true => Cow::Owned(value.to_ascii_lowercase()),
        false => Cow::Borrowed(value),
    }
}
