//! Bytes of a rule file -> logical lines of words. Follows Apache's configuration reader, which mod_security2 is fed
//! by: a backslash before the line's end continues it, `#` first makes a comment, words are bare or in `"` or `'`,
//! and a backslash guards the quote and itself. Does not know what a word means.

use std::sync::Arc;

use super::diagnostic::{Mistake, Place, Source};

/// One word and where each of its bytes stands in the file.
#[derive(Clone, Debug)]
pub struct Word {
    pub text: Vec<u8>,
    source: Arc<Source>,
    offsets: Vec<usize>,
    start: usize,
}

impl Word {
    /// The place of `length` bytes from byte `at` of the word.
    pub fn place(&self, at: usize, length: usize) -> Place {
        let end = self.offsets.last().map_or(self.start, |last| last + 1);
        let offset = self.offsets.get(at).copied().unwrap_or(end);
        Place { source: Arc::clone(&self.source), offset, length }
    }

    /// The place of the whole word.
    pub fn whole(&self) -> Place {
        Place { source: Arc::clone(&self.source), offset: self.start, length: self.text.len() }
    }

    /// The word as text, for names and messages.
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// Bytes `from..to` as a word of its own.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let start = self.place(from, 0).offset;
        Self {
            text: self.text.get(from..to).unwrap_or_default().to_vec(),
            source: Arc::clone(&self.source),
            offsets: self.offsets.get(from..to).unwrap_or_default().to_vec(),
            start,
        }
    }

    /// A word from bytes of another one, each with its place in it.
    pub fn assembled(of: &Self, bytes: Vec<(usize, u8)>) -> Self {
        let start = bytes.first().map_or(of.start, |(at, _)| of.place(*at, 0).offset);
        let offsets = bytes.iter().map(|(at, _)| of.place(*at, 0).offset).collect();
        let text = bytes.into_iter().map(|(_, byte)| byte).collect();
        Self { text, source: Arc::clone(&of.source), offsets, start }
    }
}

/// The words of one logical line, never empty.
pub type Line = Vec<Word>;

/// All logical lines of a file; an unclosed quote is a mistake and ends its line.
pub fn lines(source: &Arc<Source>, mistakes: &mut Vec<Mistake>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut bytes: Vec<(usize, u8)> = Vec::new();
    for (offset, byte) in source.text.iter().copied().enumerate() {
        if byte != b'\n' {
            bytes.push((offset, byte));
            continue;
        }
        if bytes.last().is_some_and(|(_, last)| *last == b'\r') {
            bytes.pop();
        }
        if bytes.last().is_some_and(|(_, last)| *last == b'\\') {
            bytes.pop();
            continue;
        }
        push_line(source, &bytes, &mut lines, mistakes);
        bytes.clear();
    }
    push_line(source, &bytes, &mut lines, mistakes);
    lines
}

fn push_line(
    source: &Arc<Source>,
    bytes: &[(usize, u8)],
    lines: &mut Vec<Line>,
    mistakes: &mut Vec<Mistake>,
) {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        while bytes.get(at).is_some_and(|(_, byte)| byte.is_ascii_whitespace()) {
            at += 1;
        }
        let Some((_, first)) = bytes.get(at) else { break };
        if words.is_empty() && *first == b'#' {
            return;
        }
        let (word, next) = read_word(source, bytes, at, mistakes);
        words.push(word);
        at = next;
    }
    if !words.is_empty() {
        lines.push(words);
    }
}

fn read_word(
    source: &Arc<Source>,
    bytes: &[(usize, u8)],
    start: usize,
    mistakes: &mut Vec<Mistake>,
) -> (Word, usize) {
    let first_offset = bytes.get(start).map_or(0, |(offset, _)| *offset);
    let quote = bytes.get(start).map(|(_, byte)| *byte).filter(|byte| matches!(byte, b'"' | b'\''));
    let mut at = start + usize::from(quote.is_some());
    let (mut text, mut offsets) = (Vec::new(), Vec::new());
    let mut closed = quote.is_none();
    while let Some((offset, byte)) = bytes.get(at).copied() {
        if Some(byte) == quote {
            closed = true;
            at += 1;
            break;
        }
        if quote.is_none() && byte.is_ascii_whitespace() {
            break;
        }
        let guarded = bytes.get(at + 1).map(|(_, next)| *next);
        if byte == b'\\' && (guarded == Some(b'\\') || (quote.is_some() && guarded == quote)) {
            text.push(guarded.unwrap_or(byte));
            offsets.push(offset);
            at += 2;
            continue;
        }
        text.push(byte);
        offsets.push(offset);
        at += 1;
    }
    let start = offsets.first().copied().unwrap_or(first_offset);
    let word = Word { text, source: Arc::clone(source), offsets, start };
    if !closed {
        let place = Place { source: Arc::clone(source), offset: first_offset, length: 1 };
        mistakes.push(Mistake::new(
            place,
            "a quote that is never closed",
            "close it, or end the line before it with \\",
        ));
    }
    (word, at)
}
