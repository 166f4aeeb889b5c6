//! Places in a file and what is wrong there -> the text an operator reads: file:line:column, the line, a caret, the
//! cure. Which mistakes exist is not known here.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Byte range in the file's text.
pub(super) type Span = Range<usize>;

/// Every mistake of a file; `Display` prints one block a mistake: file:line:column, the line, a caret, the cure.
#[derive(Debug)]
pub struct ConfigErrors {
    pub text: String,
    /// How many mistakes the text tells of.
    pub count: usize,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ConfigErrors {}

impl ConfigErrors {
    /// The one mistake of a file that cannot even be read.
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self { text: format!("cannot read {}: {error}", path.display()), count: 1 }
    }

    /// The one mistake of a file that is no UTF-8 from the byte `at` on.
    pub(super) fn no_text(path: &Path, bytes: &[u8], at: usize) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mistakes = Mistakes::new(path, &text);
        mistakes.add(at..at, "not UTF-8 from here on", "TOML is UTF-8: save the file so");
        mistakes.into_result().err().unwrap_or_else(|| Self { text: String::new(), count: 1 })
    }
}

struct Mistake {
    span: Span,
    message: String,
    cure: String,
}

/// Collects the mistakes of one file, in whatever order they are found.
pub(super) struct Mistakes<'a> {
    path: PathBuf,
    text: &'a str,
    found: RefCell<Vec<Mistake>>,
    /// Where the syntax is broken: what the parser made of it deserves no second word.
    broken: RefCell<Vec<usize>>,
}

impl<'a> Mistakes<'a> {
    pub fn new(path: &Path, text: &'a str) -> Self {
        Self { path: path.to_owned(), text, found: RefCell::default(), broken: RefCell::default() }
    }

    /// `message` says what is wrong, `cure` what to do; an empty cure prints nothing.
    pub fn add(&self, span: Span, message: impl Into<String>, cure: impl Into<String>) {
        if !self.broken.borrow().contains(&span.start) {
            self.found.borrow_mut().push(Mistake { span, message: message.into(), cure: cure.into() });
        }
    }

    /// A place that is no TOML; call before any `add`.
    pub fn add_syntax(&self, span: Span, message: &str) {
        let start = span.start;
        self.add(span, message, "");
        self.broken.borrow_mut().push(start);
    }

    /// # Errors
    /// Any mistake was added.
    pub fn into_result(self) -> Result<(), ConfigErrors> {
        let mut found = self.found.take();
        if found.is_empty() {
            return Ok(());
        }
        found.sort_by_key(|mistake| mistake.span.start);
        let mut text = String::new();
        for mistake in &found {
            self.write_block(&mut text, mistake);
        }
        let noun = if found.len() == 1 { "mistake" } else { "mistakes" };
        let _ = write!(text, "{} {noun} in {}", found.len(), self.path.display());
        Err(ConfigErrors { text, count: found.len() })
    }

    fn write_block(&self, out: &mut String, mistake: &Mistake) {
        let place = Place::of(self.text, &mistake.span);
        let (line, column) = (place.line, place.column);
        let gutter = " ".repeat(line.to_string().len());
        let _ = writeln!(out, "{}:{line}:{column}: {}", self.path.display(), mistake.message);
        let _ = writeln!(out, " {line} | {}", place.source);
        let _ = writeln!(out, " {gutter} | {}{}", " ".repeat(column - 1), "^".repeat(place.width));
        if !mistake.cure.is_empty() {
            let _ = writeln!(out, " {gutter} = {}", mistake.cure);
        }
    }
}

/// A span in terms of the eye. Line and column count from 1, columns in characters.
struct Place {
    line: usize,
    column: usize,
    source: String,
    width: usize,
}

impl Place {
    fn of(text: &str, span: &Span) -> Self {
        let start = floor_boundary(text, span.start);
        let end = floor_boundary(text, span.end).max(start);
        let (before, rest) = text.split_at_checked(start).unwrap_or((text, ""));
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let in_line = before.get(line_start..).unwrap_or("");
        let tail = rest.lines().next().unwrap_or("");
        let marked = text.get(start..end).unwrap_or("").lines().next().unwrap_or("");
        // Control characters would move the caret, or the operator's terminal.
        let source =
            in_line.chars().chain(tail.chars()).map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self {
            line: before.matches('\n').count() + 1,
            column: in_line.chars().count() + 1,
            source,
            width: marked.chars().count().max(1),
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
