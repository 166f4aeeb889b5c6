//! t:escapeSeqDecode: ANSI C escapes undone: \a \b \f \n \r \t \v \\ \? \' \" \xHH and octal; of any other the backslash
//! is dropped, and one at the end stays.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains passwd" "id:1,phase:2,deny,t:escapeSeqDecode"`

use std::borrow::Cow;

use super::{backslash, hex_byte};

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    backslash::undo(value, escape)
}

/// The byte that the text after the backslash stands for, and its length.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let first = *rest.first()?;
    Some(match first {
        b'x' => hex_byte(rest.get(1), rest.get(2)).map_or((b'x', 1), |byte| (byte, 3)),
        b'0'..=b'7' => octal(rest),
        other => (backslash::letter(other), 1),
    })
}

/// One to three digits; past 255 only the low byte stays.
fn octal(rest: &[u8]) -> (u8, usize) {
    let digits = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
    digits.fold((0, 0), |(sum, length), digit| (sum << 3 | (digit - b'0'), length + 1))
}
