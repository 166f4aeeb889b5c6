//! Pattern text -> a compiled regular expression, each distinct text once per process however many rules, tenants or
//! rule versions use it. The spelling pass from PCRE belongs here; what needs look-around is an error of the rule file.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use regex::bytes::{Regex, RegexBuilder};

use super::limits;

/// A pattern that the engine cannot compile; `reason` is one line for the rule's author.
#[derive(Debug, thiserror::Error)]
#[error("compiling the pattern: {reason}")]
pub struct PatternError {
    pub reason: String,
}

/// A compiled pattern with SecLang's meaning: bytes, dot matches newline, `$` only at the very end.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Arc<Regex>,
}

/// Taken only while rules are compiled, never on the way of a request.
static COMPILED: LazyLock<Mutex<HashMap<String, Weak<Regex>>>> = LazyLock::new(Mutex::default);

impl Pattern {
    /// The shared compiled pattern.
    ///
    /// # Errors
    /// Not a pattern, or one that needs look-around or back-references, or one too large.
    pub fn shared(text: &str) -> Result<Self, PatternError> {
        let cached = |map: &HashMap<String, Weak<Regex>>| map.get(text).and_then(Weak::upgrade);
        if let Some(regex) = cached(&COMPILED.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(Self { regex });
        }
        let regex = Arc::new(compile(text)?);
        let mut map = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() == map.capacity() {
            // Before it grows: forget what no rule set holds any more.
            map.retain(|_, regex| regex.strong_count() > 0);
        }
        map.insert(text.to_owned(), Arc::downgrade(&regex));
        Ok(Self { regex })
    }

    /// A pattern that holds macros, known only inside a transaction: compiled for this use and not kept.
    ///
    /// # Errors
    /// As [`Pattern::shared`].
    pub fn momentary(text: &str) -> Result<Self, PatternError> {
        Ok(Self { regex: Arc::new(compile(text)?) })
    }

    /// Hot: per value.
    pub fn is_match(&self, value: &[u8]) -> bool {
        self.regex.is_match(value)
    }

    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

fn compile(text: &str) -> Result<Regex, PatternError> {
    let built = RegexBuilder::new(text)
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(limits::PATTERN_BYTES)
        .build();
    built.map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("not a pattern");
        PatternError { reason: reason.trim().trim_start_matches("error: ").to_owned() }
    })
}

#[cfg(test)]
mod tests;
