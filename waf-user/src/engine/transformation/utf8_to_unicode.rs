//! t:utf8toUnicode: each UTF-8 character beyond ASCII becomes %uHHHH; bytes that are no UTF-8 stay.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains %u2215" "id:1,phase:2,deny,t:utf8toUnicode"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if value.is_ascii() {
        return Cow::Borrowed(value);
    }
    let mut text = Vec::with_capacity(value.len() * 2);
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => text.push(byte),
                _ => text.extend_from_slice(format!("%u{:04x}", u32::from(character)).as_bytes()),
            }
        }
        text.extend_from_slice(chunk.invalid());
    }
    Cow::Owned(text)
}
