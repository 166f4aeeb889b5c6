//! t:htmlEntityDecode: &#60; &#x3c; &lt; &gt; &amp; &quot; &nbsp; undone, with or without the semicolon; numbers give their low byte.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains <script" "id:1,phase:2,deny,t:htmlEntityDecode"`

use std::borrow::Cow;

/// Digits of a number that are looked at: leading zeros are skipped, more than these are no character.
const DIGITS: usize = 8;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut text = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let entity = if *byte == b'&' { entity(value.get(at + 1..).unwrap_or_default()) } else { None };
        match entity {
            Some((decoded, length)) => {
                text.push(decoded);
                at += 1 + length;
                at += usize::from(value.get(at) == Some(&b';'));
            }
            None => {
                text.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(text)
}

/// The byte that the text after `&` stands for, and its length without the semicolon.
fn entity(rest: &[u8]) -> Option<(u8, usize)> {
    match rest {
        [b'#', b'x' | b'X', digits @ ..] => numeric(digits, 16).map(|(byte, length)| (byte, length + 2)),
        [b'#', digits @ ..] => numeric(digits, 10).map(|(byte, length)| (byte, length + 1)),
        _ => named(rest),
    }
}

fn numeric(text: &[u8], radix: u32) -> Option<(u8, usize)> {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let length = text.iter().take_while(|byte| digit(byte).is_some()).count();
    let digits = text.get(..length).filter(|digits| !digits.is_empty())?;
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let significant = digits.get(zeros..).unwrap_or_default().iter().take(DIGITS);
    let number =
        significant.filter_map(digit).fold(0_u32, |sum, digit| sum.wrapping_mul(radix).wrapping_add(digit));
    let [.., low] = number.to_be_bytes();
    Some((low, length))
}

fn named(rest: &[u8]) -> Option<(u8, usize)> {
    let length = rest.iter().take(8).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = rest.get(..length)?;
    let byte = match name.to_ascii_lowercase().as_slice() {
        b"quot" => b'"',
        b"amp" => b'&',
        b"lt" => b'<',
        b"gt" => b'>',
        b"nbsp" => 0xa0,
        b"apos" => b'\'',
        _ => return None,
    };
    Some((byte, length))
}
