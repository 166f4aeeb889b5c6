//! Typed heads and bodies -> bytes: what we forward is written here from what was parsed, never passed on raw.

use super::Field;
use super::octets::{all, is_field_value, is_token};

/// Bytes of a usual head.
const HEAD_LEN: usize = 1024;

/// Writes one head.
#[derive(Debug)]
pub struct HeadWriter {
    bytes: Vec<u8>,
}

impl HeadWriter {
    /// `method` and `target` come from a parsed head.
    pub fn request(method: &str, target: &str) -> Self {
        Self::request_in(Vec::with_capacity(HEAD_LEN), method, target)
    }

    /// The same into an empty buffer.
    pub fn request_in(mut bytes: Vec<u8>, method: &str, target: &str) -> Self {
        for part in [method, " ", target, " HTTP/1.1\r\n"] {
            bytes.extend_from_slice(part.as_bytes());
        }
        Self { bytes }
    }

    /// An empty `phrase` is replaced by the status's own.
    pub fn response(status: u16, phrase: &str) -> Self {
        Self::response_in(Vec::with_capacity(HEAD_LEN), status, phrase)
    }

    /// The same into an empty buffer.
    pub fn response_in(mut bytes: Vec<u8>, status: u16, phrase: &str) -> Self {
        let phrase = if phrase.is_empty() { status_phrase(status) } else { phrase };
        bytes.extend_from_slice(b"HTTP/1.1 ");
        decimal(&mut bytes, u64::from(status));
        bytes.push(b' ');
        bytes.extend(phrase.bytes().filter(|byte| is_field_value(*byte)));
        bytes.extend_from_slice(b"\r\n");
        Self { bytes }
    }

    /// Hot: per header. A field that would break the head is left out: parsed fields never do, configured ones are checked.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        if !name.is_empty() && all(name.as_bytes(), is_token) && all(value, is_field_value) {
            self.parsed(Field { name, value });
        }
    }

    /// Hot: per header. A field of a parsed head, which was judged there.
    pub fn parsed(&mut self, Field { name, value }: Field<'_>) {
        self.bytes.reserve(name.len() + value.len() + 4);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b": ");
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
    }

    pub fn content_length(&mut self, length: u64) {
        self.bytes.extend_from_slice(b"Content-Length: ");
        decimal(&mut self.bytes, length);
        self.bytes.extend_from_slice(b"\r\n");
    }

    pub fn chunked(&mut self) {
        self.bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }

    /// The head with its empty line.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes
    }
}

/// The answer to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The chunk that ends a body, without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Hot: per read. Appends `data` as one chunk; nothing if it is empty, which would end the body.
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let mut digits = [0u8; 16];
    let mut left = data.len();
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        *digit = char::from_digit((left % 16) as u32, 16).map_or(b'0', |c| c as u8);
        left /= 16;
        count += 1;
        if left == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(digits.len() - count));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// The phrase of a status (RFC 9110 §15); empty for what has none here.
pub const fn status_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut divisor = 1;
    while number / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        out.push(b'0' + (number / divisor % 10) as u8);
        divisor /= 10;
    }
}
