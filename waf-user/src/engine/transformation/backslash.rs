//! What the decoders of backslash escapes share: the walk over a value, and the letters of C.

use std::borrow::Cow;

/// Hot: per value. `escape` tells the byte that the text after a backslash stands for, and its length; None leaves the
/// backslash as it is.
pub fn undo(value: &[u8], escape: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Cow<'_, [u8]> {
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

/// The control character of a letter; any other byte stands for itself.
pub fn letter(byte: u8) -> u8 {
    match byte {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        other => other,
    }
}
