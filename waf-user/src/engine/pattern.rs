//! Pattern text of PCRE -> a compiled regular expression, each distinct text once per process however many rules, tenants
//! or rule versions use it. Linear time wherever the pattern allows it: only look-around, back-references and atomic
//! groups go to a backtracking fallback with a hard limit of steps.

mod backtrack;
mod class;
mod parse;
mod spell;
mod syntax;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use regex::bytes::{Regex, RegexBuilder};
use smallvec::SmallVec;

use super::limits;
use backtrack::{Backtrack, Outcome};

/// Where a pattern matched: bytes `from..to` of the value, group 0 first. A group that took no part is `(0, 0)`; those
/// after the last one that did are left out.
pub type Spans = SmallVec<[(usize, usize); 4]>;

/// A pattern that the engine cannot compile; `reason` is one line for the rule's author.
#[derive(Debug, thiserror::Error)]
#[error("compiling the pattern: {reason}")]
pub struct PatternError {
    pub reason: String,
}

/// A search that ended without an answer: the fallback's steps are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent;

/// A compiled pattern with SecLang's meaning: bytes, dot matches newline, `$` only at the very end.
#[derive(Clone, Debug)]
pub struct Pattern {
    compiled: Arc<Compiled>,
}

/// What patterns may still cost one transaction beyond the linear.
#[derive(Debug, Default)]
pub struct Patience {
    /// Steps of the fallback that were taken.
    steps: AtomicUsize,
    /// Patterns that were compiled on the way of the request, and the last of them.
    compiled: AtomicUsize,
    last: Mutex<Option<(Vec<u8>, Option<Pattern>)>>,
}

impl Patience {
    fn search(&self, backtrack: &Backtrack, value: &[u8], from: usize) -> Outcome {
        let left = limits::BACKTRACK_STEPS_TOTAL.saturating_sub(self.steps.load(Ordering::Relaxed));
        let (outcome, steps) = backtrack.search(value, from, limits::BACKTRACK_STEPS.min(left));
        self.steps.fetch_add(steps, Ordering::Relaxed);
        outcome
    }

    /// The pattern of a text with expanded macros; None: it is none. The last one is kept: most macros say the same
    /// for every value.
    ///
    /// # Errors
    /// The text is too long, or the transaction has compiled as many as it may.
    pub fn momentary(&self, text: &[u8]) -> Result<Option<Pattern>, Spent> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, pattern)) = &*last
            && known == text
        {
            return Ok(pattern.clone());
        }
        if text.len() > limits::MOMENTARY_PATTERN_BYTES
            || self.compiled.fetch_add(1, Ordering::Relaxed) >= limits::MOMENTARY_PATTERNS
        {
            return Err(Spent);
        }
        let pattern = Pattern::momentary(text).ok();
        *last = Some((text.to_vec(), pattern.clone()));
        Ok(pattern)
    }
}

#[derive(Debug)]
enum Compiled {
    Linear(Regex),
    Backtracking(Backtrack),
}

/// Taken only while rules are compiled, never on the way of a request.
static COMPILED: LazyLock<Mutex<HashMap<Vec<u8>, Weak<Compiled>>>> = LazyLock::new(Mutex::default);

impl Pattern {
    /// The shared compiled pattern.
    ///
    /// # Errors
    /// Not a pattern, or one too large.
    pub fn shared(text: &str) -> Result<Self, PatternError> {
        Self::of_bytes(text.as_bytes())
    }

    /// As [`Pattern::shared`], for text that need not be UTF-8.
    ///
    /// # Errors
    /// Not a pattern, or one too large.
    pub fn of_bytes(text: &[u8]) -> Result<Self, PatternError> {
        let cached = |map: &HashMap<Vec<u8>, Weak<Compiled>>| map.get(text).and_then(Weak::upgrade);
        if let Some(compiled) = cached(&COMPILED.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(Self { compiled });
        }
        let compiled = Arc::new(compile(text)?);
        let mut map = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() == map.capacity() {
            // Before it grows: forget what no rule set holds any more.
            map.retain(|_, compiled| compiled.strong_count() > 0);
        }
        map.insert(text.to_vec(), Arc::downgrade(&compiled));
        Ok(Self { compiled })
    }

    /// A pattern that holds macros, known only inside a transaction: compiled for this use and not kept.
    ///
    /// # Errors
    /// As [`Pattern::shared`].
    pub fn momentary(text: &[u8]) -> Result<Self, PatternError> {
        Ok(Self { compiled: Arc::new(compile(text)?) })
    }

    /// The pattern as it is searched for, for people.
    pub fn written(&self) -> &str {
        match &*self.compiled {
            Compiled::Linear(regex) => regex.as_str(),
            Compiled::Backtracking(_) => "a pattern with look-around or back-references",
        }
    }

    /// Hot: per value. A search without an answer is no match.
    pub fn is_match(&self, value: &[u8]) -> bool {
        match &*self.compiled {
            Compiled::Linear(regex) => regex.is_match(value),
            Compiled::Backtracking(backtrack) => {
                matches!(backtrack.search(value, 0, limits::BACKTRACK_STEPS), (Outcome::Hit(_), _))
            }
        }
    }

    /// Hot: per value. The first match at or after byte `from`, with up to `groups` groups.
    ///
    /// # Errors
    /// The fallback's steps are spent, those of this search or those of the transaction.
    pub fn captures(
        &self,
        value: &[u8],
        from: usize,
        groups: usize,
        patience: &Patience,
    ) -> Result<Option<Spans>, Spent> {
        let mut spans = match &*self.compiled {
            Compiled::Linear(regex) => {
                // The cheap question first: most values match no pattern.
                if from > value.len() || !regex.is_match_at(value, from) {
                    return Ok(None);
                }
                let Some(captures) = regex.captures_at(value, from) else { return Ok(None) };
                let spans = captures.iter().take(groups);
                spans.map(|group| group.map(|group| (group.start(), group.end()))).collect::<Vec<_>>()
            }
            Compiled::Backtracking(backtrack) => match patience.search(backtrack, value, from) {
                Outcome::Miss => return Ok(None),
                Outcome::Spent => return Err(Spent),
                Outcome::Hit(spans) => spans.into_iter().take(groups).collect(),
            },
        };
        while spans.last() == Some(&None) {
            spans.pop();
        }
        Ok(Some(spans.into_iter().map(Option::unwrap_or_default).collect()))
    }

    /// The first match at or after byte `from`.
    pub fn find_from(&self, value: &[u8], from: usize) -> Option<(usize, usize)> {
        self.captures(value, from, 1, &Patience::default()).ok()??.first().copied()
    }
}

fn compile(text: &[u8]) -> Result<Compiled, PatternError> {
    let parsed = parse::parse(text)?;
    if parsed.node.backtracks() {
        return Backtrack::new(&parsed).map(Compiled::Backtracking);
    }
    let built = RegexBuilder::new(&spell::spelled(&parsed.node))
        .unicode(false)
        .size_limit(limits::PATTERN_BYTES)
        .build();
    built.map(Compiled::Linear).map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("not a pattern");
        PatternError { reason: reason.trim().trim_start_matches("error: ").to_owned() }
    })
}

/// How one way of searching ended, for comparing it with the other.
#[cfg(any(test, fuzzing))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched {
    Miss,
    /// The match's first byte: how far it reaches is left to the turns of loops that take nothing.
    Hit(usize),
    Spent,
}

/// A search in linear time and the same by backtracking; None where the pattern has but one way.
#[cfg(any(test, fuzzing))]
pub fn searched_both_ways(text: &[u8], value: &[u8]) -> Option<(Searched, Searched)> {
    let parsed = parse::parse(text).ok()?;
    let Ok(Compiled::Linear(regex)) = compile(text) else { return None };
    let found = match Backtrack::new(&parsed).ok()?.search(value, 0, limits::BACKTRACK_STEPS).0 {
        Outcome::Miss => Searched::Miss,
        Outcome::Hit(spans) => Searched::Hit(spans.first().copied().flatten()?.0),
        Outcome::Spent => Searched::Spent,
    };
    Some((regex.find(value).map_or(Searched::Miss, |found| Searched::Hit(found.start())), found))
}

#[cfg(test)]
pub(in crate::engine) mod tests;
