//! The head of an origin's response: bytes -> typed head. An origin is trusted no more than a visitor.

use smallvec::{SmallVec, smallvec};

use super::head::FIELDS_USUAL;
use super::scan::{Scanner, Side};
use super::{Fields, Framing, Limits, Parsed, Version, Violation, framing, status_phrase};

/// A response's head.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    status: u16,
    /// None: the status's own.
    phrase: Option<String>,
    version: Version,
    fields: Fields,
    framing: Framing,
}

impl ResponseHead {
    /// 100..=999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The origin's own words, which may be empty.
    pub fn phrase(&self) -> &str {
        self.phrase.as_deref().unwrap_or_else(|| status_phrase(self.status))
    }

    pub fn version(&self) -> Version {
        self.version
    }

    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// 1xx: another head follows.
    pub fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// Whether the origin's connection may carry another request afterwards.
    pub fn keeps_alive(&self) -> bool {
        self.framing != Framing::UntilClose
            && !self.fields.is_of_connection("close")
            && (self.version == Version::Http11 || self.fields.is_of_connection("keep-alive"))
    }
}

/// Parses one response head from bytes that arrive piece by piece.
#[derive(Debug)]
pub struct ResponseParser {
    scanner: Scanner,
    limits: Limits,
    to_head: bool,
}

impl ResponseParser {
    /// `method`: of the request that is answered; HEAD has no body.
    pub fn new(limits: Limits, method: &str) -> Self {
        Self { scanner: Scanner::new(Side::Response), limits, to_head: method == "HEAD" }
    }

    /// `bytes`: everything since the head began, on every call.
    ///
    /// # Errors
    /// The first violation; switching protocols was not asked for and is one.
    pub fn parse(&mut self, bytes: &[u8]) -> Result<Parsed<ResponseHead>, Violation> {
        let Some(span) = self.scanner.scan(bytes, &self.limits)? else { return Ok(Parsed::Partial) };
        let bytes = bytes.get(..span.end).unwrap_or_default();
        let mut slots: SmallVec<[_; FIELDS_USUAL]> = smallvec![httparse::EMPTY_HEADER; span.fields];
        let mut response = httparse::Response::new(&mut slots);
        let parsed = response.parse(bytes).map_err(|error| match error {
            httparse::Error::HeaderName => Violation::FieldNameCharacter,
            httparse::Error::HeaderValue => Violation::FieldValueCharacter,
            _ => Violation::StatusLine,
        })?;
        let (httparse::Status::Complete(_), Some(status)) = (parsed, response.code) else {
            return Err(Violation::StatusLine);
        };
        if status < 100 || status == 101 {
            return Err(Violation::StatusUnexpected);
        }
        let version = if response.version == Some(1) { Version::Http11 } else { Version::Http10 };
        let phrase = response.reason.filter(|phrase| *phrase != status_phrase(status)).map(str::to_owned);
        let mut fields = Fields::with_capacity(span.fields, bytes.len());
        for header in response.headers.iter() {
            fields.push(header.name, header.value);
        }
        let framing = framing::of_response(&fields, status, self.to_head)?;
        Ok(Parsed::Complete(ResponseHead { status, phrase, version, fields, framing }, span.end))
    }
}
