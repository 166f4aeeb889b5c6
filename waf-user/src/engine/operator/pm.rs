//! @pm: one of the phrases stands somewhere in the value, without regard to ASCII case.
//!
//! Argument: phrases separated by white space; `|41 42|` stands for bytes in hexadecimal.
//!
//! Example: `SecRule REQUEST_HEADERS:User-Agent "@pm sqlmap nikto" "id:1,phase:1,deny"`

use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::{ArgumentError, Hit};
use crate::engine::values::Values;

/// @pm. Linear in the value, however many phrases.
#[derive(Clone, Debug)]
pub struct Pm {
    automaton: Arc<AhoCorasick>,
    phrases: Arc<[Vec<u8>]>,
}

impl Pm {
    /// # Errors
    /// No phrase, or a `|…|` that is not hexadecimal.
    pub fn new(argument: &[u8]) -> Result<Self, ArgumentError> {
        let text = unhex(argument)?;
        Self::of(text.split(u8::is_ascii_whitespace).filter(|phrase| !phrase.is_empty()))
    }

    /// # Errors
    /// No phrase, or more than the automaton holds.
    pub fn of<'a>(phrases: impl Iterator<Item = &'a [u8]>) -> Result<Self, ArgumentError> {
        let phrases: Vec<&[u8]> = phrases.collect();
        if phrases.is_empty() {
            return Err(malformed("no phrase".to_owned()));
        }
        let built = AhoCorasick::builder().ascii_case_insensitive(true).build(&phrases);
        let automaton = Arc::new(built.map_err(|error| malformed(error.to_string()))?);
        Ok(Self { automaton, phrases: phrases.into_iter().map(<[u8]>::to_vec).collect() })
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], _values: &Values) -> Hit {
        let found = self.automaton.find(value)?;
        Some(smallvec::smallvec![(found.start(), found.end())])
    }

    /// The phrase that matched, as the rule has it.
    pub fn phrase(&self, value: &[u8]) -> Option<Vec<u8>> {
        self.phrases.get(self.automaton.find(value)?.pattern().as_usize()).cloned()
    }
}

/// `ab|63 64|e` -> `abcde`.
fn unhex(text: &[u8]) -> Result<Vec<u8>, ArgumentError> {
    let mut bytes = Vec::with_capacity(text.len());
    for (index, part) in text.split(|byte| *byte == b'|').enumerate() {
        if index % 2 == 0 {
            bytes.extend_from_slice(part);
            continue;
        }
        for pair in part.split(u8::is_ascii_whitespace).filter(|pair| !pair.is_empty()) {
            let text = std::str::from_utf8(pair).unwrap_or_default();
            let byte = u8::from_str_radix(text, 16);
            bytes.push(byte.map_err(|_| malformed(format!("`{text}` inside |…| is no byte")))?);
        }
    }
    Ok(bytes)
}

fn malformed(reason: String) -> ArgumentError {
    ArgumentError::Malformed { operator: "@pm", reason }
}
