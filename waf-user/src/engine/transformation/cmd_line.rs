//! t:cmdLine: shell spelling tricks undone: \\ " quote ^ removed, spaces before / and ( removed, comma and semicolon as space, runs of white space as one, lower case.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains cmd/c" "id:1,phase:2,deny,t:cmdLine"`

use std::borrow::Cow;

use super::is_space;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'\\' | b'"' | b'\'' | b'^' => {}
            b',' | b';' => push_space(&mut text),
            white if is_space(white) => push_space(&mut text),
            b'/' | b'(' => {
                if text.last() == Some(&b' ') {
                    text.pop();
                }
                text.push(*byte);
            }
            _ => text.push(byte.to_ascii_lowercase()),
        }
    }
    match text == value {
        true => Cow::Borrowed(value),
        false => Cow::Owned(text),
    }
}

fn push_space(text: &mut Vec<u8>) {
    if text.last() != Some(&b' ') {
        text.push(b' ');
    }
}
