//! t:phpArgsNames: the name that PHP makes of an argument's name: leading spaces dropped, space and dot to underscore up
//! to the first index, nothing after the last index.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS_NAMES "@rx ^a_b$" "id:1,phase:2,deny,t:phpArgsNames"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let start = value.iter().position(|byte| *byte != b' ').unwrap_or(value.len());
    let rest = value.get(start..).unwrap_or_default();
    if rest.starts_with(b"[") {
        return Cow::Owned(Vec::new());
    }
    let mut name = Vec::with_capacity(rest.len());
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        at += 1;
        match byte {
            b' ' | b'.' => name.push(b'_'),
            b'[' if rest.get(at..).unwrap_or_default().contains(&b']') => {
                indexes(rest.get(at - 1..).unwrap_or_default(), &mut name);
                return Cow::Owned(name);
            }
            // An index that is never closed is part of the name, and ends the replacing.
            b'[' => {
                name.push(b'_');
                name.extend_from_slice(rest.get(at..).unwrap_or_default());
                return Cow::Owned(name);
            }
            _ => name.push(*byte),
        }
    }
    Cow::Owned(name)
}

/// `[a][b]rest` -> `[a][b]`; spaces at the start of an index are dropped.
fn indexes(mut rest: &[u8], name: &mut Vec<u8>) {
    while let Some(inside) = rest.strip_prefix(b"[") {
        let Some(close) = inside.iter().position(|byte| *byte == b']') else { return };
        let index = inside.get(..close).unwrap_or_default();
        let start = index.iter().position(|byte| *byte != b' ').unwrap_or(index.len());
        name.push(b'[');
        name.extend_from_slice(index.get(start..).unwrap_or_default());
        name.push(b']');
        rest = inside.get(close + 1..).unwrap_or_default();
    }
}
