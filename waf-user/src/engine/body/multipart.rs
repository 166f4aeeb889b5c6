//! multipart/form-data (RFC 7578) -> fields and files. Strict: what two readers could read differently (preambles, bare
//! line feeds, folded or doubled headers, transfer encodings, `filename*`) is an error, not a guess.

use memchr::memmem;

use super::{BodyError, Extent, argument};
use crate::engine::limits;
use crate::engine::options::Options;
use crate::engine::values::Values;

/// The boundary parameter (RFC 2046 §5.1.1); exactly one.
pub fn boundary(content_type: &[u8]) -> Result<Vec<u8>, BodyError> {
    let mut found = None;
    for (name, value) in parameters(content_type).ok_or(BodyError::Boundary)? {
        if name == b"boundary" && found.replace(value).is_some() {
            return Err(BodyError::Boundary);
        }
    }
    let boundary = found.ok_or(BodyError::Boundary)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    let length = (1..=limits::MULTIPART_BOUNDARY_BYTES).contains(&boundary.len());
    match length && boundary.iter().all(allowed) && !boundary.ends_with(b" ") {
        true => Ok(boundary),
        false => Err(BodyError::Boundary),
    }
}

/// Reads all parts. Linear in the body.
pub fn read(
    body: &[u8],
    boundary: &[u8],
    extent: Extent,
    values: &mut Values,
    options: &Options,
) -> Result<(), BodyError> {
    let delimiter = [b"\r\n--", boundary].concat();
    let finder = memmem::Finder::new(&delimiter);
    let first = delimiter.get(2..).unwrap_or_default();
    if !body.starts_with(first) {
        return Err(BodyError::Outside);
    }
    let mut at = first.len();
    let mut parts = 0;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix(b"--") {
            let cut = extent == Extent::Prefix && after == b"\r";
            return if cut || matches!(after, b"" | b"\r\n") { Ok(()) } else { Err(BodyError::Outside) };
        }
        if extent == Extent::Prefix && rest.len() < 2 {
            return Ok(());
        }
        let Some(part) = rest.strip_prefix(b"\r\n") else { return Err(BodyError::PartEnd(at)) };
        parts += 1;
        if parts > limits::MULTIPART_PARTS {
            return Err(BodyError::Parts);
        }
        let end = match (finder.find(part), extent) {
            (Some(end), _) => end,
            (None, Extent::Prefix) => part.len(),
            (None, Extent::Whole) => return Err(BodyError::PartEnd(at)),
        };
        let cut = end == part.len();
        match self::part(part.get(..end).unwrap_or_default(), values, options) {
            Some(outcome) => outcome?,
            // The prefix ended inside the part's headers.
            None if cut => return Ok(()),
            None => return Err(BodyError::PartHeaders(at)),
        }
        if cut {
            return Ok(());
        }
        at += 2 + end + delimiter.len();
    }
}

/// One part: headers, an empty line, content. None: the headers are malformed.
fn part(part: &[u8], values: &mut Values, options: &Options) -> Option<Result<(), BodyError>> {
    let headers_end = memmem::find(part, b"\r\n\r\n")?;
    if headers_end > limits::MULTIPART_PART_HEADER_BYTES {
        return None;
    }
    let content = part.get(headers_end + 4..).unwrap_or_default();
    let lines = split_lines(part.get(..headers_end)?)?;
    if lines.len() > limits::MULTIPART_PART_HEADERS {
        return None;
    }
    let mut disposition = None;
    for line in &lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = line.get(..colon)?;
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        if name.is_empty()
            || !name.iter().all(token)
            || name.eq_ignore_ascii_case(b"content-transfer-encoding")
        {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-disposition")
            && disposition.replace(line.get(colon + 1..)?).is_some()
        {
            return None;
        }
    }
    let (field, file) = field_and_file(disposition?)?;
    values.part_headers.extend(lines.iter().map(|line| (field.clone(), line.to_vec())));
    let Some(file) = file else { return Some(argument(values, options, field, content.to_vec())) };
    values.files.push((field.clone(), file));
    values.files_sizes.push((field, content.len().to_string().into_bytes()));
    Some(Ok(()))
}

/// Lines that end with CRLF; None where a bare CR, LF or NUL stands in one or a line is folded.
fn split_lines(headers: &[u8]) -> Option<Vec<&[u8]>> {
    let mut lines = Vec::new();
    for (index, piece) in headers.split(|byte| *byte == b'\n').enumerate() {
        let last = lines.last_mut();
        if index > 0 {
            let before: &mut &[u8] = last?;
            *before = before.strip_suffix(b"\r")?;
        }
        if piece.is_empty() || matches!(piece.first(), Some(b' ' | b'\t')) {
            return None;
        }
        lines.push(piece);
    }
    let clean = |line: &&[u8]| !line.iter().any(|byte| matches!(byte, b'\r' | 0));
    lines.iter().all(clean).then_some(lines)
}

/// `form-data; name="a"; filename="b"`.
fn field_and_file(disposition: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let end = disposition.iter().position(|byte| *byte == b';')?;
    if !disposition.get(..end)?.trim_ascii().eq_ignore_ascii_case(b"form-data") {
        return None;
    }
    let (mut field, mut file) = (None, None);
    for (name, value) in parameters(disposition)? {
        let slot = match name.as_slice() {
            b"name" => &mut field,
            b"filename" => &mut file,
            _ => return None,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    Some((field?, file))
}

/// The parameters after the first `;`, names in lower case; None where the grammar is left. Inside quotes only `\"` and
/// `\\` are escapes: browsers send Windows paths as they are.
fn parameters(text: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut parameters = Vec::new();
    let mut at = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
    loop {
        while text.get(at).is_some_and(|byte| matches!(byte, b';' | b' ' | b'\t')) {
            at += 1;
        }
        if at >= text.len() {
            return Some(parameters);
        }
        let equals = at + text.get(at..)?.iter().position(|byte| *byte == b'=')?;
        let name = text.get(at..equals)?.to_ascii_lowercase();
        if name.is_empty() || name.iter().any(|byte| matches!(byte, b' ' | b'\t' | b';' | b'"')) {
            return None;
        }
        at = equals + 1;
        let mut value = Vec::new();
        if text.get(at) == Some(&b'"') {
            at += 1;
            loop {
                match (text.get(at)?, text.get(at + 1)) {
                    (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                        value.push(*escaped);
                        at += 1;
                    }
                    (b'"', _) => break,
                    (byte, _) => value.push(*byte),
                }
                at += 1;
            }
            at += 1;
            if !matches!(text.get(at), None | Some(b';' | b' ' | b'\t')) {
                return None;
            }
        } else {
            while let Some(byte) = text.get(at).filter(|byte| !matches!(byte, b';' | b' ' | b'\t')) {
                if matches!(byte, b'"') {
                    return None;
                }
                value.push(*byte);
                at += 1;
            }
        }
        parameters.push((name, value));
    }
}
