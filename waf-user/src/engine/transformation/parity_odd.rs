//! t:parityOdd7bit: the eighth bit of each byte set so that the number of bits is odd.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@rx x" "id:1,phase:2,deny,t:parityOdd7bit"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let parity = |byte: &u8| {
        let low = byte & 0x7f;
        low | u8::from(low.count_ones().is_multiple_of(2)) << 7
    };
    Cow::Owned(value.iter().map(parity).collect())
}
