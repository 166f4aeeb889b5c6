//! t:urlDecodeUni: as urlDecode, with %uHHHH of IIS too: its low byte, full-width ASCII as ASCII.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains <script" "id:1,phase:2,deny,t:urlDecodeUni"`

use std::borrow::Cow;

use super::{hex_byte, low_byte};

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
            b'%' => match decoded(value, at) {
                Some((decoded, length)) => {
                    text.push(decoded);
                    at += length;
                }
                None => text.push(b'%'),
            },
            _ => text.push(*byte),
        }
    }
    Cow::Owned(text)
}

fn decoded(value: &[u8], at: usize) -> Option<(u8, usize)> {
    if !matches!(value.get(at), Some(b'u' | b'U')) {
        return Some((hex_byte(value.get(at), value.get(at + 1))?, 2));
    }
    let high = hex_byte(value.get(at + 1), value.get(at + 2))?;
    let low = hex_byte(value.get(at + 3), value.get(at + 4))?;
    Some((low_byte(u16::from_be_bytes([high, low])), 5))
}
