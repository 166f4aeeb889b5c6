//! t:removeComments: /* comments */ and <!-- comments --> removed, and everything after -- or #; an unclosed comment
//! becomes a space. The byte after a closed comment is taken as it is (at the end of the value: NUL), as the reference
//! engine does.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@contains union select" "id:1,phase:2,deny,t:removeComments"`

use std::borrow::Cow;

/// Hot: per value.
pub fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let rest = value.get(at..).unwrap_or_default();
        let (open, close) = match rest {
            [b'/', b'*', ..] => (2, b"*/".as_slice()),
            [b'<', b'!', b'-', b'-', ..] => (4, b"-->".as_slice()),
            [b'-', b'-', ..] | [b'#', ..] => {
                text.push(b' ');
                break;
            }
            _ => {
                text.push(*byte);
                at += 1;
                continue;
            }
        };
        let inside = rest.get(open..).unwrap_or_default();
        let Some(end) = memchr::memmem::find(inside, close) else {
            text.push(b' ');
            break;
        };
        at += open + end + close.len();
        text.push(value.get(at).copied().unwrap_or(0));
        at += 1;
    }
    match *text == *value {
        true => Cow::Borrowed(value),
        false => Cow::Owned(text),
    }
}
