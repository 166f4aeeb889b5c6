//! The head of a request: bytes -> typed head, or the named reason why it is refused.

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use super::scan::{Scanner, Side, Span};
use super::{Fields, Framing, Host, TargetForm, Version, Violation, framing, request_line};

/// Fields that are parsed without asking for memory.
pub(super) const FIELDS_USUAL: usize = 32;

/// Bounds of one head.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longer: 414. 8 KiB is what browsers and servers agree on (RFC 9112 §3 asks for 8000 octets).
    pub request_line_bytes_max: usize,
    /// All header lines with their CRLF. Longer: 431. Cookies of a whole domain fit four times.
    pub header_bytes_max: usize,
    /// More: 431. Browsers send about 20, proxies in front add ten.
    pub headers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_line_bytes_max: 8 * 1024, header_bytes_max: 32 * 1024, headers_max: 100 }
    }
}

/// What parsing a prefix of the connection's bytes gave.
#[derive(Debug)]
pub enum Parsed<T> {
    /// The head and how many bytes it took.
    Complete(T, usize),
    Partial,
}

/// A request's head, free of ambiguity.
#[derive(Clone, Debug)]
pub struct RequestHead {
    method: Cow<'static, str>,
    target: String,
    form: TargetForm,
    /// None where it is the target itself.
    path_and_query: Option<String>,
    version: Version,
    fields: Fields,
    host: Option<Host>,
    framing: Framing,
}

impl RequestHead {
    pub fn method(&self) -> &str {
        &self.method
    }

    /// As it stood in the request line.
    pub fn target(&self) -> &str {
        &self.target
    }

    pub fn form(&self) -> &TargetForm {
        &self.form
    }

    /// What an origin is asked for: path and query in origin-form, or `*`.
    pub fn path_and_query(&self) -> &str {
        self.path_and_query.as_deref().unwrap_or(&self.target)
    }

    pub fn path(&self) -> &str {
        self.path_and_query().split_once('?').map_or(self.path_and_query(), |(path, _)| path)
    }

    pub fn query(&self) -> Option<&str> {
        self.path_and_query().split_once('?').map(|(_, query)| query)
    }

    pub fn version(&self) -> Version {
        self.version
    }

    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// None only in HTTP/1.0.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        let bodiless = matches!(self.framing, Framing::None | Framing::Length(0));
        self.version == Version::Http11 && !bodiless && self.fields.first("expect").is_some()
    }

    /// Whether the client lets the connection live on after the answer (RFC 9112 §9.3).
    pub fn keeps_alive(&self) -> bool {
        if self.fields.is_of_connection("close") {
            return false;
        }
        self.version == Version::Http11 || self.fields.is_of_connection("keep-alive")
    }

    /// Safe to send twice (RFC 9110 §9.2.2).
    pub fn is_idempotent(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
    }
}

/// Parses heads from bytes that arrive piece by piece, judging each line once.
#[derive(Debug)]
pub struct RequestParser {
    scanner: Scanner,
    limits: Limits,
}

impl RequestParser {
    pub fn new(limits: Limits) -> Self {
        Self { scanner: Scanner::new(Side::Request), limits }
    }

    /// `bytes`: everything since the head began, on every call. One parser a head.
    ///
    /// # Errors
    /// The first violation.
    pub fn parse(&mut self, bytes: &[u8]) -> Result<Parsed<RequestHead>, Violation> {
        let Some(span) = self.scanner.scan(bytes, &self.limits)? else { return Ok(Parsed::Partial) };
        let head = read_head(bytes, span)?;
        Ok(Parsed::Complete(head, span.end))
    }
}

/// # Errors
/// The first violation.
pub fn parse_request_head(bytes: &[u8], limits: &Limits) -> Result<Parsed<RequestHead>, Violation> {
    RequestParser::new(*limits).parse(bytes)
}

/// Turns a scanned head into its typed form.
fn read_head(bytes: &[u8], span: Span) -> Result<RequestHead, Violation> {
    let bytes = bytes.get(span.start..span.end).unwrap_or_default();
    let mut slots: SmallVec<[_; FIELDS_USUAL]> = smallvec![httparse::EMPTY_HEADER; span.fields];
    let mut request = httparse::Request::new(&mut slots);
    let status = request.parse(bytes).map_err(|error| match error {
        httparse::Error::HeaderName => Violation::FieldNameCharacter,
        httparse::Error::HeaderValue => Violation::FieldValueCharacter,
        httparse::Error::TooManyHeaders => Violation::TooManyFields,
        httparse::Error::Version => Violation::Version,
        _ => Violation::RequestLine,
    })?;
    let (httparse::Status::Complete(_), Some(method), Some(target)) = (status, request.method, request.path)
    else {
        return Err(Violation::RequestLine);
    };
    let version = if request.version == Some(1) { Version::Http11 } else { Version::Http10 };
    let mut fields = Fields::with_capacity(span.fields, bytes.len());
    for header in request.headers.iter() {
        if is_lookalike(header.name) {
            return Err(Violation::FieldNameLookalike);
        }
        fields.push(header.name, header.value);
    }
    let (form, path_and_query) = request_line::target_form(method, target)?;
    let host = host(&fields, version, &form)?;
    let framing = framing::of_request(&fields, version)?;
    if fields.has_element("upgrade", "h2c") {
        return Err(Violation::UpgradeH2c);
    }
    if version == Version::Http11
        && fields.elements("expect").any(|e| !e.eq_ignore_ascii_case(b"100-continue"))
    {
        return Err(Violation::ExpectUnknown);
    }
    let (method, target) = (method_text(method), target.to_owned());
    Ok(RequestHead { method, target, form, path_and_query, version, fields, host, framing })
}

/// The usual ones need no memory of their own.
fn method_text(method: &str) -> Cow<'static, str> {
    const USUAL: [&str; 6] = ["GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE"];
    match USUAL.into_iter().find(|usual| *usual == method) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(method.to_owned()),
    }
}

/// `Content_Length` and the like: an origin that turns `-` into `_` for its environment takes it for the real one.
fn is_lookalike(name: &str) -> bool {
    name.as_bytes().contains(&b'_')
        && ["content-length", "transfer-encoding", "host"].iter().any(|real| {
            name.len() == real.len()
                && name.bytes().zip(real.bytes()).all(|(a, b)| {
                    let a = if a == b'_' { b'-' } else { a.to_ascii_lowercase() };
                    a == b
                })
        })
}

/// The one Host, agreeing with an absolute target.
fn host(fields: &Fields, version: Version, form: &TargetForm) -> Result<Option<Host>, Violation> {
    let mut values = fields.values("host");
    let value = values.next();
    if values.next().is_some() {
        return Err(Violation::HostRepeated);
    }
    let host = match value {
        Some(value) => Some(Host::parse(value)?),
        None if version == Version::Http11 => return Err(Violation::HostMissing),
        None => None,
    };
    match (form, &host) {
        (TargetForm::Absolute { https, authority }, Some(host))
            if !host.agrees(authority, if *https { 443 } else { 80 }) =>
        {
            Err(Violation::HostConflict)
        }
        (TargetForm::Absolute { authority, .. }, None) => Ok(Some(authority.clone())),
        _ => Ok(host),
    }
}
