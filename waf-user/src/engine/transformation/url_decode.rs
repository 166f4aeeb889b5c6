//! t:urlDecode: percent-encoding undone and + made a space; what is no valid encoding stays.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_URI_RAW "@contains ../" "id:1,phase:2,deny,t:urlDecode"`

use std::borrow::Cow;

use super::hex_byte;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'%', b'+', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut text = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        at += 1;
        match byte {
            b'+' => text.push(b' '),
            b'%' => match hex_byte(value.get(at), value.get(at + 1)) {
                Some(decoded) => {
                    text.push(decoded);
                    at += 2;
                }
                None => text.push(b'%'),
            },
            _ => text.push(*byte),
        }
    }
    Cow::Owned(text)
}
