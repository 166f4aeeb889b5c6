//! `a=1&b=2` -> names and values, percent-encoding undone. The same grammar for queries and form bodies.

use crate::engine::transformation::Transformation;

/// Calls `each` with every pair until it answers false; empty parts between separators are no arguments.
pub fn each(text: &[u8], separator: u8, each: &mut dyn FnMut(Vec<u8>, Vec<u8>) -> bool) {
    for part in text.split(|byte| *byte == separator).filter(|part| !part.is_empty()) {
        let equals = part.iter().position(|byte| *byte == b'=');
        let name = part.get(..equals.unwrap_or(part.len())).unwrap_or_default();
        let value = equals.and_then(|equals| part.get(equals + 1..)).unwrap_or_default();
        let decode = |text: &[u8]| Transformation::UrlDecode.apply(text).into_owned();
        if !each(decode(name), decode(value)) {
            return;
        }
    }
}

/// Whether two hexadecimal digits follow each percent sign.
pub fn is_well_formed(text: &[u8]) -> bool {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_hexdigit);
    memchr::memchr_iter(b'%', text).all(|at| digit(at + 1) && digit(at + 2))
}
