//! SQL injection: the value read as SQL in the contexts it may stand in, folded to a fingerprint of token kinds that
//! either is a known one or not.

use std::borrow::Cow;

/// Hot: per value. The fingerprint of an injection (such as `s&1`); None: no injection.
pub fn fingerprint(value: &[u8]) -> Option<Vec<u8>> {
    let judged = libinjectionrs::detect_sqli(&shown(value));
    if !judged.is_injection() {
        return None;
    }
    let text = judged.fingerprint.map(|fingerprint| fingerprint.as_str().as_bytes().to_vec());
    Some(text.unwrap_or_default())
}

/// A fingerprint of three tokens round a keyword is an injection only where that is INTO OUTFILE or INTO DUMPFILE, in
/// whatever case; the crate asks for upper case: it is given that.
fn shown(value: &[u8]) -> Cow<'_, [u8]> {
    let word = |at: usize, word: &[u8]| {
        value.get(at..at + word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    let mut text: Option<Vec<u8>> = None;
    let mut close = None;
    for at in memchr::memchr2_iter(b'i', b'I', value).filter(|at| word(*at, b"into")) {
        let second = gap_end(value, at + 4, &mut close);
        if second > at + 4 && (word(second, b"outfile") || word(second, b"dumpfile")) {
            let text = text.get_or_insert_with(|| value.to_vec());
            if let Some(words) = text.get_mut(at..second) {
                words.make_ascii_uppercase();
            }
        }
    }
    text.map_or(Cow::Borrowed(value), Cow::Owned)
}

/// Past white space and comments; one that is never closed stands for itself. `close`: the next end of a comment that
/// was found before, so that many open comments cost one search.
fn gap_end(value: &[u8], from: usize, close: &mut Option<usize>) -> usize {
    let mut at = from;
    loop {
        let rest = value.get(at..).unwrap_or_default();
        let white = |byte: &&u8| byte.is_ascii_whitespace() || matches!(**byte, 0x0b | 0 | 0xa0);
        at += rest.iter().take_while(white).count();
        let rest = value.get(at..).unwrap_or_default();
        if !rest.starts_with(b"/*") || rest.starts_with(b"/*!") {
            return at;
        }
        if close.is_none_or(|close| close < at + 2) {
            let inside = value.get(at + 2..).unwrap_or_default();
            *close = Some(memchr::memmem::find(inside, b"*/").map_or(usize::MAX, |end| at + 2 + end));
        }
        match *close {
            Some(end) if end < value.len() => at = end + 2,
            _ => return at,
        }
    }
}
