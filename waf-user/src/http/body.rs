//! Body bytes off the wire -> the content, piece by piece, by length, by chunks or until the end. Trailers are judged
//! and dropped.

use memchr::memchr;

use super::octets::is_token;
use super::scan::check_field;
use super::{Framing, Violation};

/// Hexadecimal digits of a chunk size: 15 fit u64 with room to add, and no honest chunk needs more.
const CHUNK_DIGITS_MAX: usize = 15;
/// Bytes of all chunk extensions of one body: they carry nothing for us, so a sender gets to waste little with them.
const EXTENSION_BYTES_MAX: usize = 4 * 1024;
/// Bytes of all trailers of one body: they are dropped, so as much as a few short fields need.
const TRAILER_BYTES_MAX: usize = 8 * 1024;

/// What one step found. `consumed` bytes of the input are done with; `data` are the content's bytes among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub consumed: usize,
    pub data: &'a [u8],
}

/// Decodes one body.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    extension_bytes: usize,
    trailer_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilClose,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    Done,
}

impl BodyDecoder {
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, extension_bytes: 0, trailer_bytes: 0 }
    }

    /// The body is complete; what follows in the input is not its.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The connection ended here.
    ///
    /// # Errors
    /// [`Violation::Truncated`] unless this body ends with the connection or had ended.
    pub fn end(&mut self) -> Result<(), Violation> {
        match self.state {
            State::Done | State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(Violation::Truncated),
        }
    }

    /// Hot: per read. Call again with what is left until the body is done or nothing was consumed: then more input is
    /// needed.
    ///
    /// # Errors
    /// The first violation of the chunked grammar.
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<'a>, Violation> {
        match self.state {
            State::Done => Ok(Decoded { consumed: 0, data: &[] }),
            State::UntilClose => Ok(Decoded { consumed: input.len(), data: input }),
            State::Length(left) => {
                let (data, left) = take(input, left);
                self.state = if left == 0 { State::Done } else { State::Length(left) };
                Ok(Decoded { consumed: data.len(), data })
            }
            State::ChunkData(left) => {
                let (data, left) = take(input, left);
                self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                Ok(Decoded { consumed: data.len(), data })
            }
            State::ChunkEnd => self.chunk_end(input),
            State::ChunkSize => self.chunk_size(input),
            State::Trailers => self.trailer(input),
        }
    }

    fn chunk_end<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<'a>, Violation> {
        match input {
            [b'\r', b'\n', ..] => {
                self.state = State::ChunkSize;
                Ok(Decoded { consumed: 2, data: &[] })
            }
            [] | [b'\r'] => Ok(Decoded { consumed: 0, data: &[] }),
            _ => Err(Violation::ChunkEnd),
        }
    }

    /// `chunk-size [ chunk-ext ] CRLF`.
    fn chunk_size<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<'a>, Violation> {
        let digits =
            input.iter().take(CHUNK_DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > CHUNK_DIGITS_MAX {
            return Err(Violation::ChunkSizeOverflow);
        }
        match input.get(digits) {
            Some(b'\r' | b';') if digits > 0 => {}
            Some(b'\n') if digits > 0 => return Err(Violation::BareLf),
            Some(_) => return Err(Violation::ChunkSize),
            None => return Ok(Decoded { consumed: 0, data: &[] }),
        }
        let (hex, rest) = input.split_at_checked(digits).unwrap_or_default();
        let budget = EXTENSION_BYTES_MAX - self.extension_bytes;
        let Some(extension) = line(rest, budget, Violation::ChunkExtension)? else {
            return Ok(Decoded { consumed: 0, data: &[] });
        };
        if !is_extension(extension) {
            return Err(Violation::ChunkExtension);
        }
        self.extension_bytes += extension.len();
        let size = str::from_utf8(hex).ok().and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let size = size.ok_or(Violation::ChunkSize)?;
        self.state = if size == 0 { State::Trailers } else { State::ChunkData(size) };
        Ok(Decoded { consumed: digits + extension.len() + 2, data: &[] })
    }

    fn trailer<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<'a>, Violation> {
        let budget = TRAILER_BYTES_MAX - self.trailer_bytes;
        let Some(field) = line(input, budget, Violation::TrailerTooLarge)? else {
            return Ok(Decoded { consumed: 0, data: &[] });
        };
        if field.is_empty() {
            self.state = State::Done;
        } else {
            check_field(field)?;
            self.trailer_bytes += field.len();
        }
        Ok(Decoded { consumed: field.len() + 2, data: &[] })
    }
}

/// As much of `left` as the input has, and what is then left.
fn take(input: &[u8], left: u64) -> (&[u8], u64) {
    let wanted = usize::try_from(left).unwrap_or(usize::MAX);
    let data = input.get(..wanted).unwrap_or(input);
    (data, left.saturating_sub(data.len() as u64))
}

/// The next line without its CRLF, None if it is not complete. The length is judged before the content.
fn line(input: &[u8], bytes_max: usize, too_long: Violation) -> Result<Option<&[u8]>, Violation> {
    let (raw, complete) = match memchr(b'\n', input) {
        Some(end) => (input.get(..end).unwrap_or_default(), true),
        None => (input, false),
    };
    let content = raw.strip_suffix(b"\r").unwrap_or(raw);
    if content.len() > bytes_max {
        return Err(too_long);
    }
    if !complete {
        return Ok(None);
    }
    if content.len() == raw.len() {
        return Err(Violation::BareLf);
    }
    if memchr(b'\r', content).is_some() {
        return Err(Violation::BareCr);
    }
    Ok(Some(content))
}

/// `*( ";" token [ "=" ( token / quoted-string ) ] )` without the white space that RFC 9112 §7.1.1 calls bad.
fn is_extension(mut text: &[u8]) -> bool {
    while let [b';', rest @ ..] = text {
        let name = rest.iter().take_while(|byte| is_token(**byte)).count();
        text = rest.get(name..).unwrap_or_default();
        if name == 0 {
            return false;
        }
        if let [b'=', rest @ ..] = text {
            let value = match rest {
                [b'"', quoted @ ..] => quoted_len(quoted).map_or(0, |len| len + 1),
                token => token.iter().take_while(|byte| is_token(**byte)).count(),
            };
            if value == 0 {
                return false;
            }
            text = rest.get(value..).unwrap_or_default();
        }
    }
    text.is_empty()
}

/// Length of a quoted string after its opening quote, the closing one included.
fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            0..=8 | 10..=31 | 127 => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
