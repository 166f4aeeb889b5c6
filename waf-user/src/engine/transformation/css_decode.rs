//! t:cssDecode: escapes of CSS 2 undone: backslash and one to six hexadecimal digits (low byte, full-width ASCII as ASCII) with one white space after them; other guarded bytes themselves.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains expression" "id:1,phase:2,deny,t:cssDecode"`

use std::borrow::Cow;

use super::{hex_digit, is_space, low_byte};

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut text = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        at += 1;
        if *byte != b'\\' {
            text.push(*byte);
            continue;
        }
        let digits = value.iter().skip(at).take(6).map_while(|byte| hex_digit(*byte));
        let (count, number) =
            digits.fold((0, 0_u32), |(count, sum), digit| (count + 1, sum << 4 | u32::from(digit)));
        match (count, value.get(at)) {
            // A backslash at the end is dropped; before a newline it continues the line.
            (0, None) => {}
            (0, Some(b'\n')) => at += 1,
            (0, Some(guarded)) => {
                text.push(*guarded);
                at += 1;
            }
            _ => {
                text.push(code_point(count, number));
                at += count;
                at += usize::from(value.get(at).is_some_and(is_space));
            }
        }
    }
    Cow::Owned(text)
}

/// Full-width ASCII counts only where the higher digits are zero.
fn code_point(digits: usize, number: u32) -> u8 {
    let [.., low] = number.to_be_bytes();
    match u16::try_from(number) {
        Ok(unit) if digits >= 4 => low_byte(unit),
        _ => low,
    }
}
