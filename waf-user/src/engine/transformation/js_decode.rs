//! t:jsDecode: escapes of JavaScript strings undone: \xHH, \uHHHH (low byte, full-width ASCII as ASCII), octal, \n and its kin.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains <script" "id:1,phase:2,deny,t:jsDecode"`

use std::borrow::Cow;

use super::{backslash, hex_byte, low_byte};

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    backslash::undo(value, escape)
}

/// The byte that the text after the backslash stands for, and its length. None at the end of the value.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let first = *rest.first()?;
    if first == b'u'
        && let Some(high) = hex_byte(rest.get(1), rest.get(2))
        && let Some(low) = hex_byte(rest.get(3), rest.get(4))
    {
        return Some((low_byte(u16::from_be_bytes([high, low])), 5));
    }
    if first == b'x'
        && let Some(byte) = hex_byte(rest.get(1), rest.get(2))
    {
        return Some((byte, 3));
    }
    if let octal @ 1.. = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count() {
        // Three digits only up to \377.
        let length = if octal == 3 && first > b'3' { 2 } else { octal };
        let value =
            rest.iter().take(length).fold(0_u8, |sum, digit| sum.wrapping_mul(8).wrapping_add(digit - b'0'));
        return Some((value, length));
    }
    Some((backslash::letter(first), 1))
}
