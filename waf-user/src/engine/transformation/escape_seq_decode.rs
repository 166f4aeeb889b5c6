//! t:escapeSeqDecode: ANSI C escapes undone: \a \b \f \n \r \t \v \\ \? \' \" \xHH and octal; of any other the backslash
//! is dropped, and one at the end stays.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains passwd" "id:1,phase:2,deny,t:escapeSeqDecode"`

use std::borrow::Cow;

use super::hex_byte;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut text = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let escape = if *byte == b'\\' { escape(value.get(at + 1..).unwrap_or_default()) } else { None };
        let (decoded, length) = escape.map_or((*byte, 1), |(decoded, length)| (decoded, length + 1));
        text.push(decoded);
        at += length;
    }
    Cow::Owned(text)
}

/// The byte that the text after the backslash stands for, and its length.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let first = *rest.first()?;
    let byte = match first {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'x' => return Some(hex_byte(rest.get(1), rest.get(2)).map_or((b'x', 1), |byte| (byte, 3))),
        b'0'..=b'7' => return Some(octal(rest)),
        other => other,
    };
    Some((byte, 1))
}

/// One to three digits; past 255 only the low byte stays.
fn octal(rest: &[u8]) -> (u8, usize) {
    let digits = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
    digits.fold((0, 0), |(sum, length), digit| (sum << 3 | (digit - b'0'), length + 1))
}
