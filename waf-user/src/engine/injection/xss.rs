//! Script injection: the value read as HTML in the contexts it may stand in.

use std::borrow::Cow;

/// Shortest name of an attribute that is taken for an event's.
const EVENT_BYTES: usize = 5;

/// Hot: per value.
pub fn is_xss(value: &[u8]) -> bool {
    let judge = |value: &[u8]| libinjectionrs::detect_xss(value).is_injection();
    judge(value) || matches!(events(value), Cow::Owned(text) if judge(&text))
}

/// libinjection of the reference engine takes every attribute whose name starts with `on` for an event's; the crate knows
/// a list, and no name with bytes behind it (`onerror%09`): each such name becomes one that it knows.
fn events(value: &[u8]) -> Cow<'_, [u8]> {
    let mut text: Option<Vec<u8>> = None;
    let mut kept = 0;
    for at in memchr::memchr2_iter(b'o', b'O', value) {
        let before = at.checked_sub(1).and_then(|before| value.get(before));
        let starts =
            before.is_none_or(|byte| is_white(*byte) || matches!(byte, b'/' | b'"' | b'\'' | b'`' | b'<'));
        let name = value.get(at..).unwrap_or_default();
        if at < kept || !starts || !matches!(name.get(1), Some(b'n' | b'N')) {
            continue;
        }
        let length =
            name.iter().take_while(|byte| !is_white(**byte) && !matches!(byte, b'/' | b'=' | b'>')).count();
        if length < EVENT_BYTES {
            continue;
        }
        let text = text.get_or_insert_default();
        text.extend_from_slice(value.get(kept..at).unwrap_or_default());
        text.extend_from_slice(b"onerror");
        kept = at + length;
    }
    match text {
        None => Cow::Borrowed(value),
        Some(mut text) => {
            text.extend_from_slice(value.get(kept..).unwrap_or_default());
            Cow::Owned(text)
        }
    }
}

fn is_white(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
