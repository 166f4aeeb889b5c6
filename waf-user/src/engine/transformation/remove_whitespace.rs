//! t:removeWhitespace: white space removed, no-break space (0xA0) too.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains unionselect" "id:1,phase:2,deny,t:removeWhitespace"`

use std::borrow::Cow;

use super::is_space;

/// Hot: per value. UTF-8 text keeps its meaning less 0xA0 trail bytes, as in the reference engine.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let white = |byte: &u8| is_space(byte) || *byte == 0xa0;
    match value.iter().any(white) {
        true => Cow::Owned(value.iter().copied().filter(|byte| !white(byte)).collect()),
        false => Cow::Borrowed(value),
    }
}
