//! t:base64Encode: bytes to base64 (RFC 4648 §4) with padding.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_HEADERS:X-Token "@streq YWJj" "id:1,phase:1,deny,t:base64Encode"`

use std::borrow::Cow;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::with_capacity(value.len().div_ceil(3) * 4);
    for group in value.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (index, shift) in [18_u32, 12, 6, 0].into_iter().enumerate() {
            let digit = usize::try_from(bits >> shift & 63).ok().and_then(|digit| DIGITS.get(digit));
            text.push(if index <= group.len() { digit.copied().unwrap_or(b'=') } else { b'=' });
        }
    }
    Cow::Owned(text)
}
