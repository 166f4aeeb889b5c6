//! multipart/form-data (RFC 7578) -> fields and files, as the reference engine reads it: what two readers could read
//! differently (preambles, bare line feeds, folded headers, odd quotes) is flagged for rules, what cannot be read at all
//! is an error.

mod disposition;
mod flags;

use super::{BodyError, Extent, argument};
use crate::engine::limits;
use crate::engine::options::Options;
use crate::engine::values::Values;

pub use flags::Flags;

/// The parameter's name.
const BOUNDARY: &[u8] = b"boundary";

/// The boundary parameter (RFC 2046 §5.1.1); exactly one.
pub fn boundary(content_type: &[u8], flags: &mut Flags) -> Result<Vec<u8>, BodyError> {
    let content_type = content_type.trim_ascii();
    let ends = |byte: &u8| matches!(byte, b';' | b',') || byte.is_ascii_whitespace();
    let start = content_type.iter().position(ends).ok_or(BodyError::Boundary)?;
    if content_type.get(start) == Some(&b',') {
        return Err(BodyError::Boundary);
    }
    flags.missing_semicolon =
        !content_type.get(start..).unwrap_or_default().trim_ascii_start().starts_with(b";");
    let start = start + content_type.iter().skip(start).take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = if flags.missing_semicolon { start - 1 } else { start };
    let text = content_type.get(start + 1..).unwrap_or_default();
    let mut odd = Flags::default();
    let mut found = None;
    for (name, value) in disposition::parameters(text, &mut odd).ok_or(BodyError::Boundary)? {
        if name.eq_ignore_ascii_case(BOUNDARY) && found.replace(value).is_some() {
            return Err(BodyError::Boundary);
        }
    }
    let boundary = found.ok_or(BodyError::Boundary)?;
    flags.boundary_quoted =
        memchr::memmem::find(text, &[b"\"", boundary.as_slice(), b"\""].concat()).is_some();
    flags.boundary_whitespace = boundary.iter().any(u8::is_ascii_whitespace) || is_spaced(text);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    let length = (1..=limits::MULTIPART_BOUNDARY_BYTES).contains(&boundary.len());
    match length && boundary.iter().all(allowed) && !boundary.ends_with(b" ") && !odd.invalid_quoting {
        true => Ok(boundary),
        false => Err(BodyError::Boundary),
    }
}

/// White space before or behind the `=` of the boundary, as the reference engine minds it.
fn is_spaced(parameters: &[u8]) -> bool {
    let at = parameters.windows(BOUNDARY.len()).position(|name| name.eq_ignore_ascii_case(BOUNDARY));
    let mut rest = at.and_then(|at| parameters.get(at + BOUNDARY.len()..)).unwrap_or_default().iter();
    let first = rest.next().is_some_and(u8::is_ascii_whitespace);
    first || rest.next().is_some_and(u8::is_ascii_whitespace)
}

/// Reads all parts, line by line. Linear in the body.
pub fn read(
    body: &[u8],
    boundary: &[u8],
    extent: Extent,
    values: &mut Values,
    options: &Options,
) -> Result<(), BodyError> {
    let mut reader = Reader { values, options, parts: 0, files: 0, state: State::Before };
    let mut at = 0;
    while at < body.len() {
        let rest = body.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default();
        let is_last = at + length == body.len();
        if extent == Extent::Prefix && is_last && !line.ends_with(b"\n") {
            return reader.cut(body, at);
        }
        reader.line(body, at, line, boundary)?;
        at += length;
    }
    match (&reader.state, extent) {
        (State::After, _) => Ok(()),
        (_, Extent::Whole) => Err(BodyError::PartEnd(body.len())),
        (_, Extent::Prefix) => reader.cut(body, body.len()),
    }
}

/// Where the reader stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Before,
    Headers(Vec<Vec<u8>>),
    Data { part: Part, from: usize },
    After,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    name: Vec<u8>,
    file_name: Option<Vec<u8>>,
}

struct Reader<'a> {
    values: &'a mut Values,
    options: &'a Options,
    parts: usize,
    files: usize,
    state: State,
}

impl Reader<'_> {
    fn line(&mut self, body: &[u8], at: usize, line: &[u8], boundary: &[u8]) -> Result<(), BodyError> {
        if self.state == State::After {
            self.values.multipart.data_after = true;
            return Ok(());
        }
        let bare = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        if let Some(dashed) = bare.strip_prefix(b"--") {
            match dashed.strip_prefix(boundary) {
                Some(b"") => {
                    self.ends_of_lines(line);
                    self.finish(body, at)?;
                    return self.begin(at);
                }
                Some(b"--") => {
                    self.ends_of_lines(line);
                    self.finish(body, at)?;
                    self.state = State::After;
                    return Ok(());
                }
                Some(_) => self.values.multipart.invalid_part = true,
                None if dashed.trim_ascii_start().starts_with(boundary) => {
                    return Err(BodyError::PartEnd(at));
                }
                None => self.values.multipart.unmatched_boundary = true,
            }
        }
        match &mut self.state {
            State::Before => {
                self.values.multipart.data_before = true;
                Ok(())
            }
            State::Headers(_) => {
                self.ends_of_lines(line);
                self.header(at, line.len(), bare)
            }
            State::Data { .. } | State::After => Ok(()),
        }
    }

    fn ends_of_lines(&mut self, line: &[u8]) {
        let crlf = line.ends_with(b"\r\n");
        self.values.multipart.crlf_line |= crlf;
        self.values.multipart.lf_line |= !crlf && line.ends_with(b"\n");
    }

    fn begin(&mut self, at: usize) -> Result<(), BodyError> {
        self.parts += 1;
        if self.parts > limits::MULTIPART_PARTS {
            return Err(BodyError::Parts);
        }
        debug_assert!(matches!(self.state, State::Before | State::Data { .. }), "a part begins at byte {at}");
        self.state = State::Headers(Vec::new());
        Ok(())
    }

    /// A header line of a part, or the empty line after them.
    fn header(&mut self, at: usize, length: usize, bare: &[u8]) -> Result<(), BodyError> {
        let State::Headers(lines) = &mut self.state else { return Ok(()) };
        if bare.is_empty() {
            let lines = std::mem::take(lines);
            let Some(part) = self.part(&lines) else {
                // What could not be read is shown to the rules all the same, without a field's name.
                self.values.part_headers.extend(lines.into_iter().map(|line| (Vec::new(), line)));
                return Err(BodyError::PartHeaders(at));
            };
            self.state = State::Data { part, from: at + length };
            return Ok(());
        }
        let held: usize = lines.iter().map(Vec::len).sum();
        let full = lines.len() >= limits::MULTIPART_PART_HEADERS && !bare.starts_with(b" ");
        if full || held + bare.len() > limits::MULTIPART_PART_HEADER_BYTES {
            return Err(BodyError::PartHeaders(at));
        }
        if bare.first().is_some_and(u8::is_ascii_whitespace) {
            self.values.multipart.header_folding = true;
            let Some(last) = lines.last_mut() else { return Err(BodyError::PartHeaders(at)) };
            self.values.multipart.invalid_header_folding |= bare.iter().all(u8::is_ascii_whitespace);
            last.push(b' ');
            last.extend_from_slice(bare.trim_ascii());
            return Ok(());
        }
        lines.push(bare.to_vec());
        Ok(())
    }

    /// None: the headers cannot be read.
    fn part(&mut self, lines: &[Vec<u8>]) -> Option<Part> {
        let mut names: Vec<&[u8]> = Vec::new();
        let mut disposition = None;
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
            let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
            if name.is_empty() || !name.iter().all(token) || line.iter().any(|byte| matches!(byte, b'\r' | 0))
            {
                return None;
            }
            if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return None;
            }
            names.push(name);
            if name.eq_ignore_ascii_case(b"content-disposition") {
                disposition = Some(value);
            }
        }
        let read = disposition::disposition(disposition?, &mut self.values.multipart)?;
        let name = read.name?;
        self.values.multipart.name = Some(name.clone());
        if read.file_name.is_some() {
            self.values.multipart.file_name.clone_from(&read.file_name);
        }
        self.values.part_headers.extend(lines.iter().map(|line| (name.clone(), line.clone())));
        Some(Part { name, file_name: read.file_name })
    }

    /// A boundary at byte `at` ends what is open.
    fn finish(&mut self, body: &[u8], at: usize) -> Result<(), BodyError> {
        match std::mem::replace(&mut self.state, State::Before) {
            State::Before | State::After => Ok(()),
            State::Headers(_) => Err(BodyError::PartHeaders(at)),
            State::Data { part, from } => {
                let content = body.get(from..at).unwrap_or_default();
                let bare = content.strip_suffix(b"\n").unwrap_or(content);
                let crlf = bare.ends_with(b"\r");
                self.values.multipart.crlf_line |= crlf;
                self.values.multipart.lf_line |= !crlf && bare.len() < content.len();
                self.keep(part, bare.strip_suffix(b"\r").filter(|_| crlf).unwrap_or(bare))
            }
        }
    }

    /// The body was cut: what was read of the open part is judged.
    fn cut(mut self, body: &[u8], at: usize) -> Result<(), BodyError> {
        match std::mem::replace(&mut self.state, State::After) {
            State::Data { part, from } => {
                let end = body.len().max(at);
                self.keep(part, body.get(from..end).unwrap_or_default())
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, part: Part, content: &[u8]) -> Result<(), BodyError> {
        let Part { name, file_name } = part;
        let Some(file_name) = file_name else {
            return argument(self.values, self.options, name, content.to_vec());
        };
        self.files += 1;
        if self.files > self.options.upload_file_limit {
            self.values.multipart.file_limit_exceeded = true;
            return Ok(());
        }
        self.values.files.push((name.clone(), file_name));
        self.values.files_sizes.push((name.clone(), content.len().to_string().into_bytes()));
        self.values.files_contents.push((name, content.to_vec()));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
