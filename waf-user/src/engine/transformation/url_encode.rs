//! t:urlEncode: percent-encoding of all but letters, digits and `*`; a space becomes `+`.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains %2e%2e%2f" "id:1,phase:2,deny,t:urlEncode"`

use std::borrow::Cow;

use super::hex_digits;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'*';
    if value.iter().all(plain) {
        return Cow::Borrowed(value);
    }
    let mut text = Vec::with_capacity(value.len() * 3);
    for byte in value {
        match byte {
            b' ' => text.push(b'+'),
            byte if plain(byte) => text.push(*byte),
            byte => {
                text.push(b'%');
                text.extend(hex_digits(*byte));
            }
        }
    }
    Cow::Owned(text)
}
