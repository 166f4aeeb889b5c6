//! t:compressWhitespace: each run of white space (no-break space 0xA0 too) becomes one space.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains union select" "id:1,phase:2,deny,t:compressWhitespace"`

use std::borrow::Cow;

use super::is_space;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let white = |byte: &u8| is_space(byte) || *byte == 0xa0;
    let mut text = Vec::with_capacity(value.len());
    let mut after_white = false;
    for byte in value {
        match white(byte) {
            true if after_white => {}
            true => text.push(b' '),
            false => text.push(*byte),
        }
        after_white = white(byte);
    }
    match text == value {
        true => Cow::Borrowed(value),
        false => Cow::Owned(text),
    }
}
