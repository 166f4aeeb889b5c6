//! t:base64Decode: base64 to bytes, up to the first byte that is no base64.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains select" "id:1,phase:2,deny,t:base64Decode"`

use std::borrow::Cow;

/// Hot: per value. A last group of one digit is dropped.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let digits = value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
    Cow::Owned(bytes(digits.map_while(|byte| digit(*byte))))
}

/// The bytes that base64 digits (0 to 63) stand for.
pub fn bytes(digits: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for digit in digits {
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            let [.., byte] = (bits >> held).to_be_bytes();
            bytes.push(byte);
        }
    }
    bytes
}

/// The number of a base64 digit.
pub fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
