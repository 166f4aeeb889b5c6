//! t:replaceComments: each /* comment */ becomes one space, an unclosed one too; a lone */ stays.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains union select" "id:1,phase:2,deny,t:replaceComments"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memmem::find(value, b"/*") else { return Cow::Borrowed(value) };
    let mut text = value.get(..first).unwrap_or_default().to_vec();
    let mut rest = value.get(first..).unwrap_or_default();
    while let Some(open) = memchr::memmem::find(rest, b"/*") {
        text.extend_from_slice(rest.get(..open).unwrap_or_default());
        text.push(b' ');
        let inside = rest.get(open + 2..).unwrap_or_default();
        let close = memchr::memmem::find(inside, b"*/");
        rest = close.and_then(|close| inside.get(close + 2..)).unwrap_or_default();
    }
    text.extend_from_slice(rest);
    Cow::Owned(text)
}
