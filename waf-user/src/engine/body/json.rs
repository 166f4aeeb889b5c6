//! JSON text (RFC 8259) -> its leaves, each under the joined names of its objects: `{"a":{"b":[1,2]}}` gives `json.a.b`
//! twice. Iterative, so that depth costs no stack; a prefix of a document gives the leaves it holds.

use super::{BodyError, Extent};
use crate::engine::limits;

/// Takes one leaf: joined name and decoded value.
pub type Leaf<'a> = &'a mut dyn FnMut(&[u8], Vec<u8>) -> Result<(), BodyError>;

/// An open container: how long the name was outside it.
#[derive(Clone, Copy)]
enum Open {
    Object { name_length: usize },
    Array,
}

/// What the grammar allows next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    CommaOrEnd,
    Nothing,
}

/// Why reading stopped.
enum Stop {
    /// The text ended inside the document.
    Ended,
    Error(BodyError),
}

impl From<BodyError> for Stop {
    fn from(error: BodyError) -> Self {
        Self::Error(error)
    }
}

/// Reads one document. Linear in the text.
pub fn read(text: &[u8], extent: Extent, depth_max: usize, leaf: Leaf<'_>) -> Result<(), BodyError> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if extent == Extent::Prefix && MARK.starts_with(text) {
        return Ok(());
    }
    let text = text.strip_prefix(MARK).unwrap_or(text);
    let mut reader = Reader { text, at: 0, depth_max, name: b"json".to_vec(), open: Vec::new(), leaf };
    match reader.document() {
        // RFC 8259 §8.1: UTF-8; what is read before it is judged all the same.
        Ok(()) if extent == Extent::Whole => match std::str::from_utf8(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(BodyError::Json(error.valid_up_to())),
        },
        Ok(()) => Ok(()),
        Err(Stop::Ended) if extent == Extent::Prefix => Ok(()),
        Err(Stop::Ended) => Err(BodyError::Json(text.len())),
        Err(Stop::Error(error)) => Err(error),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth_max: usize,
    name: Vec<u8>,
    open: Vec<Open>,
    leaf: Leaf<'a>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), Stop> {
        let mut next = Next::Value;
        loop {
            while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
                self.at += 1;
            }
            let Some(byte) = self.peek() else {
                return if next == Next::Nothing { Ok(()) } else { Err(Stop::Ended) };
            };
            next = match (next, byte) {
                (Next::Value | Next::ValueOrEnd, b'{') => {
                    self.enter(Open::Object { name_length: self.name.len() })?
                }
                (Next::Value | Next::ValueOrEnd, b'[') => self.enter(Open::Array)?,
                (Next::ValueOrEnd | Next::CommaOrEnd, b']') | (Next::NameOrEnd | Next::CommaOrEnd, b'}') => {
                    self.leave(byte)?
                }
                (Next::CommaOrEnd, b',') => {
                    self.at += 1;
                    match self.open.last() {
                        Some(Open::Object { .. }) => Next::Name,
                        _ => Next::Value,
                    }
                }
                (Next::Name | Next::NameOrEnd, b'"') => self.member()?,
                (Next::Value | Next::ValueOrEnd, b'"') => {
                    let (value, ended) = self.string()?;
                    (self.leaf)(&self.name, value)?;
                    if ended {
                        return Err(Stop::Ended);
                    }
                    self.after_value()
                }
                (Next::Value | Next::ValueOrEnd, _) => self.word()?,
                _ => return Err(self.wrong()),
            };
        }
    }

    fn enter(&mut self, open: Open) -> Result<Next, Stop> {
        if self.open.len() >= self.depth_max {
            return Err(BodyError::Depth.into());
        }
        self.at += 1;
        self.open.push(open);
        Ok(match open {
            Open::Object { .. } => Next::NameOrEnd,
            Open::Array => Next::ValueOrEnd,
        })
    }

    fn leave(&mut self, byte: u8) -> Result<Next, Stop> {
        match (self.open.pop(), byte) {
            (Some(Open::Object { name_length }), b'}') => self.name.truncate(name_length),
            (Some(Open::Array), b']') => {}
            _ => return Err(self.wrong()),
        }
        self.at += 1;
        Ok(self.after_value())
    }

    /// `"name" :`
    fn member(&mut self) -> Result<Next, Stop> {
        let (member, ended) = self.string()?;
        if ended {
            return Err(Stop::Ended);
        }
        if let Some(Open::Object { name_length }) = self.open.last() {
            self.name.truncate(*name_length);
        }
        let room = limits::JSON_NAME_BYTES.saturating_sub(self.name.len() + 1);
        if room > 0 {
            self.name.push(b'.');
            self.name.extend(member.iter().take(room));
        }
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(self.wrong()),
            None => return Err(Stop::Ended),
        }
        Ok(Next::Value)
    }

    /// A number, true or false as written; null has no text.
    fn word(&mut self) -> Result<Next, Stop> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'+' | b'-' | b'.');
        let length = rest.iter().take_while(plain).count();
        let word = rest.get(..length).unwrap_or_default();
        let known = matches!(word, b"true" | b"false" | b"null") || is_number(word);
        let ended = length == rest.len();
        if !known {
            return Err(if ended && !word.is_empty() { Stop::Ended } else { self.wrong() });
        }
        let value = if word == b"null" { &b""[..] } else { word };
        (self.leaf)(&self.name, value.to_vec())?;
        self.at += length;
        Ok(self.after_value())
    }

    /// The decoded string at the quote, and whether the text ended inside it.
    fn string(&mut self) -> Result<(Vec<u8>, bool), Stop> {
        self.at += 1;
        let mut value = Vec::new();
        loop {
            let Some(byte) = self.peek() else { return Ok((value, true)) };
            self.at += 1;
            match byte {
                b'"' => return Ok((value, false)),
                b'\\' => {
                    let Some(escape) = self.peek() else { return Ok((value, true)) };
                    self.at += 1;
                    match escape {
                        b'"' | b'\\' | b'/' => value.push(escape),
                        b'b' => value.push(0x08),
                        b'f' => value.push(0x0c),
                        b'n' => value.push(b'\n'),
                        b'r' => value.push(b'\r'),
                        b't' => value.push(b'\t'),
                        b'u' => match self.character()? {
                            Some(character) => {
                                value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                            }
                            None => return Ok((value, true)),
                        },
                        _ => return Err(self.wrong()),
                    }
                }
                0..=0x1f => return Err(self.wrong()),
                _ => value.push(byte),
            }
        }
    }

    /// The character of `\u` escapes; a lone surrogate is U+FFFD. None: the text ended.
    fn character(&mut self) -> Result<Option<char>, Stop> {
        let Some(high) = self.unit()? else { return Ok(None) };
        let pair_follows = self.text.get(self.at..).unwrap_or_default().starts_with(b"\\u");
        if !(0xd800..0xdc00).contains(&high) || !pair_follows {
            return Ok(Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        let before = self.at;
        self.at += 2;
        let Some(low) = self.unit()? else { return Ok(None) };
        if !(0xdc00..0xe000).contains(&low) {
            self.at = before;
            return Ok(Some(char::REPLACEMENT_CHARACTER));
        }
        let point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        Ok(Some(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)))
    }

    fn unit(&mut self) -> Result<Option<u32>, Stop> {
        let Some(digits) = self.text.get(self.at..self.at + 4) else { return Ok(None) };
        let mut unit = 0;
        for byte in digits {
            unit = unit * 16 + char::from(*byte).to_digit(16).ok_or_else(|| self.wrong())?;
        }
        self.at += 4;
        Ok(Some(unit))
    }

    fn after_value(&self) -> Next {
        if self.open.is_empty() { Next::Nothing } else { Next::CommaOrEnd }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn wrong(&self) -> Stop {
        Stop::Error(BodyError::Json(self.at))
    }
}

/// RFC 8259 §6: no sign but minus, no leading zero, digits on both sides of the point.
fn is_number(word: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = word.strip_prefix(b"-").unwrap_or(word);
    let integer = digits(rest);
    if integer == 0 || (integer > 1 && rest.starts_with(b"0")) {
        return false;
    }
    rest = rest.get(integer..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.get(length..).unwrap_or_default();
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent =
            exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}
