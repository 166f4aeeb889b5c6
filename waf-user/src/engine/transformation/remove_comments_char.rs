//! t:removeCommentsChar: the marks of comments removed: /* */ -- # <!-- -->; what they held stays.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains union select" "id:1,phase:2,deny,t:removeCommentsChar"`

use std::borrow::Cow;

/// Longer marks first.
const MARKS: [&[u8]; 6] = [b"<!--", b"-->", b"/*", b"*/", b"--", b"#"];

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let rest = value.get(at..).unwrap_or_default();
        match MARKS.iter().find(|mark| rest.starts_with(mark)) {
            Some(mark) => at += mark.len(),
            None => {
                text.push(*byte);
                at += 1;
            }
        }
    }
    match text.len() == value.len() {
        true => Cow::Borrowed(value),
        false => Cow::Owned(text),
    }
}
