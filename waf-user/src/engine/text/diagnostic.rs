//! Mistakes -> the text a rule author reads: `file:line:column: message`, the line, a caret under the word, the cure.

use std::fmt::Write;
use std::sync::Arc;

use super::super::limits;

/// One file's name and bytes, shared by all places in it.
#[derive(Debug)]
pub struct Source {
    pub name: String,
    pub text: Vec<u8>,
}

/// Where a word stands.
#[derive(Clone, Debug)]
pub struct Place {
    pub source: Arc<Source>,
    /// Byte offset of the first byte.
    pub offset: usize,
    /// Bytes to underline, at least 1 is shown.
    pub length: usize,
}

impl Place {
    /// Line and column, both from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.offset).unwrap_or(&self.source.text);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count() + 1;
        (line, column)
    }

    /// `file:line`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.source.name, self.line_column().0)
    }

    /// The whole line, tabs as single blanks.
    pub fn line_text(&self) -> String {
        let text = &self.source.text;
        let offset = self.offset.min(text.len());
        let start = text.iter().take(offset).rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end =
            text.iter().skip(offset).position(|byte| *byte == b'\n').map_or(text.len(), |at| offset + at);
        String::from_utf8_lossy(text.get(start..end).unwrap_or_default()).trim_end().replace('\t', " ")
    }
}

/// One mistake of a rule author.
#[derive(Clone, Debug)]
pub struct Mistake {
    pub place: Place,
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

impl Mistake {
    pub fn new(place: Place, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { place, message: message.into(), cure: cure.into() }
    }
}

/// All mistakes as one text, in the order found.
pub fn render(mistakes: &[Mistake]) -> String {
    let mut text = String::new();
    for mistake in mistakes.iter().take(limits::MISTAKES) {
        let (line, column) = mistake.place.line_column();
        let source_line = mistake.place.line_text();
        let room = source_line.chars().count().saturating_sub(column - 1).max(1);
        let carets = mistake.place.length.clamp(1, room);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}:{line}:{column}: {}", mistake.place.source.name, mistake.message);
        let _ = writeln!(text, "  | {source_line}");
        let _ = writeln!(text, "  | {}{}", " ".repeat(column - 1), "^".repeat(carets));
        if !mistake.cure.is_empty() {
            let _ = writeln!(text, "  = {}", mistake.cure);
        }
    }
    if mistakes.len() > limits::MISTAKES {
        let _ = writeln!(text, "… and {} more", mistakes.len() - limits::MISTAKES);
    }
    text
}

/// The name of `known` that is closest to `name`, as a cure.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let name = name.to_ascii_lowercase();
    let best = known
        .map(|candidate| (distance(&name, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().min(name.len()) / 3 + 1)
        .min();
    best.map_or_else(String::new, |(_, candidate)| format!("did you mean {candidate}?"))
}

/// Levenshtein distance; O(n·m), both are names of at most 64 bytes.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() > 64 || right.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        if let Some(first) = row.first_mut() {
            *first = previous;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(right) {
            let value = (diagonal + usize::from(a != b)).min(previous + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = value;
            previous = value;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
