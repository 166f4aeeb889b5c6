//! t:sqlHexDecode: SQL numbers such as 0x414243 to the bytes they spell.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains select" "id:1,phase:2,deny,t:sqlHexDecode"`

use std::borrow::Cow;

use super::hex_byte;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let prefix = *byte == b'0' && matches!(value.get(at + 1), Some(b'x' | b'X'));
        if !prefix || hex_byte(value.get(at + 2), value.get(at + 3)).is_none() {
            text.push(*byte);
            at += 1;
            continue;
        }
        at += 2;
        while let Some(decoded) = hex_byte(value.get(at), value.get(at + 1)) {
            text.push(decoded);
            at += 2;
        }
    }
    match *text == *value {
        true => Cow::Borrowed(value),
        false => Cow::Owned(text),
    }
}
