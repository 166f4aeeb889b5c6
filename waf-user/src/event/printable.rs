//! Text from outside -> text that is safe to show on a terminal.

use std::borrow::Cow;

/// Escapes control characters (a hostile target may hold terminal sequences) and those that turn the writing direction,
/// as `\u{1b}`. Everything else, Japanese included, stays.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe_to_show) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe_to_show(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Unicode Cc, line and paragraph separators, and the bidirectional controls (UAX #9).
fn is_unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
