//! t:hexDecode: pairs of hexadecimal digits to bytes; a digit without its pair is dropped.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains select" "id:1,phase:2,deny,t:hexDecode"`

use std::borrow::Cow;

/// Hot: per value. Bytes that are no digits take part with what they give in the reference engine's arithmetic.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let bytes = value.chunks_exact(2).map(|pair| {
        let [high, low] = pair else { return 0 };
        nibble(*high).wrapping_mul(16).wrapping_add(nibble(*low))
    });
    Cow::Owned(bytes.collect())
}

fn nibble(byte: u8) -> u8 {
    match byte {
        b'A'..=u8::MAX => (byte & 0xdf).wrapping_sub(b'A').wrapping_add(10),
        _ => byte.wrapping_sub(b'0'),
    }
}
