//! Raw bytes -> where a head ends, line by line, each line judged once. httparse is lenient about line ends, folds and
//! more; nothing of that reaches it. Knows no meaning of any field.

use memchr::memchr;

use super::octets::{all, is_field_value, is_token};
use super::{Limits, Violation, request_line};

/// Whose head it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// Where the head lies in the bytes scanned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    pub fields: usize,
}

/// Remembers how far it came, so that bytes which trickle in are not judged again and again.
#[derive(Debug)]
pub(super) struct Scanner {
    side: Side,
    /// Start of the line that is not complete yet.
    at: usize,
    /// Start of the start line, once known.
    start: usize,
    start_line_seen: bool,
    block_bytes: usize,
    fields: usize,
}

impl Scanner {
    pub(super) fn new(side: Side) -> Self {
        Self { side, at: 0, start: 0, start_line_seen: false, block_bytes: 0, fields: 0 }
    }

    /// `bytes`: everything since the message began, on every call. A line's length is judged before its content, so
    /// that the answer does not depend on how the bytes were cut.
    ///
    /// # Errors
    /// The first violation in the order of the lines.
    pub(super) fn scan(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<Span>, Violation> {
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let (raw, complete) = match memchr(b'\n', rest) {
                Some(end) => (rest.get(..end).unwrap_or_default(), true),
                None => (rest, false),
            };
            let content = raw.strip_suffix(b"\r").unwrap_or(raw);
            self.check_length(content, limits)?;
            if !complete {
                return Ok(None);
            }
            if content.len() == raw.len() {
                return Err(Violation::BareLf);
            }
            let next = self.at + raw.len() + 1;
            if self.start_line_seen && content.is_empty() {
                return Ok(Some(Span { start: self.start, end: next, fields: self.fields }));
            }
            let judged = if self.start_line_seen {
                self.field(content, limits)
            } else {
                self.start_line(content, next)
            };
            // A CR within a line is in no class of bytes: it is looked for only to tell what is wrong.
            judged
                .map_err(|other| if memchr(b'\r', content).is_some() { Violation::BareCr } else { other })?;
            self.at = next;
        }
    }

    /// Limits of a line that may still be growing.
    fn check_length(&self, content: &[u8], limits: &Limits) -> Result<(), Violation> {
        if self.start_line_seen {
            let bytes = self.block_bytes + content.len() + 2;
            if !content.is_empty() && bytes > limits.header_bytes_max {
                return Err(Violation::HeadTooLarge);
            }
            return Ok(());
        }
        // What begins like no method is answered at once: a TLS hello on the wrong port has no line end to wait for.
        if content.first().is_some_and(|byte| !is_token(*byte) && *byte != b'\r') {
            return Err(match self.side {
                Side::Request => Violation::MethodCharacter,
                Side::Response => Violation::StatusLine,
            });
        }
        if content.len() > limits.request_line_bytes_max {
            return Err(Violation::TargetTooLong);
        }
        Ok(())
    }

    /// One empty line before the start line is skipped (RFC 9112 §2.2), a second is refused as no start line.
    fn start_line(&mut self, content: &[u8], next: usize) -> Result<(), Violation> {
        if content.is_empty() && self.at == 0 && self.side == Side::Request {
            self.start = next;
            return Ok(());
        }
        match self.side {
            Side::Request => request_line::check(content)?,
            Side::Response if content.is_empty() => return Err(Violation::StatusLine),
            Side::Response if memchr(b'\r', content).is_some() => return Err(Violation::BareCr),
            Side::Response => {}
        }
        self.start_line_seen = true;
        Ok(())
    }

    fn field(&mut self, content: &[u8], limits: &Limits) -> Result<(), Violation> {
        self.block_bytes += content.len() + 2;
        self.fields += 1;
        if self.fields > limits.headers_max {
            return Err(Violation::TooManyFields);
        }
        check_field(content)
    }
}

/// Hot: per header. One field line without its CRLF.
pub(super) fn check_field(line: &[u8]) -> Result<(), Violation> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Violation::ObsoleteFold);
    }
    let colon = memchr(b':', line).ok_or(Violation::FieldWithoutColon)?;
    let (name, value) = line.split_at_checked(colon).unwrap_or_default();
    match name.last() {
        None => return Err(Violation::FieldNameEmpty),
        Some(b' ' | b'\t') => return Err(Violation::SpaceBeforeColon),
        Some(_) => {}
    }
    if !all(name, is_token) {
        return Err(Violation::FieldNameCharacter);
    }
    if !all(value, is_field_value) {
        return Err(Violation::FieldValueCharacter);
    }
    Ok(())
}
