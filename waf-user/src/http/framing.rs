//! How long a message's body is, decided from its head (RFC 9112 §6.3) with everything ambiguous refused.

use super::{Fields, Version, Violation};

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body, whatever the fields say.
    None,
    /// Bytes.
    Length(u64),
    Chunked,
    /// With the connection; responses only.
    UntilClose,
}

/// Digits of the longest Content-Length taken: 10^18 bytes are more than any body, and fit u64.
const LENGTH_DIGITS_MAX: usize = 18;

/// Framing of a request.
///
/// # Errors
/// Every way in which two parsers may see two lengths.
pub(super) fn of_request(fields: &Fields, version: Version) -> Result<Framing, Violation> {
    match (encoding(fields)?, length(fields)?) {
        (true, Some(_)) => Err(Violation::LengthAndEncoding),
        (true, None) if version == Version::Http10 => Err(Violation::EncodingInHttp10),
        (true, None) => Ok(Framing::Chunked),
        (false, Some(length)) => Ok(Framing::Length(length)),
        (false, None) => Ok(Framing::None),
    }
}

/// Framing of a response to a request with method HEAD or not.
///
/// # Errors
/// As for requests.
pub(super) fn of_response(fields: &Fields, status: u16, to_head: bool) -> Result<Framing, Violation> {
    let framing = match (encoding(fields)?, length(fields)?) {
        (true, Some(_)) => return Err(Violation::LengthAndEncoding),
        (true, None) => Framing::Chunked,
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::UntilClose,
    };
    let bodiless = to_head || status < 200 || status == 204 || status == 304;
    Ok(if bodiless { Framing::None } else { framing })
}

/// Whether the body is chunked: one Transfer-Encoding that is exactly `chunked`, or none.
fn encoding(fields: &Fields) -> Result<bool, Violation> {
    let mut values = fields.values("transfer-encoding");
    let Some(value) = values.next() else { return Ok(false) };
    if values.next().is_some() {
        return Err(Violation::EncodingRepeated);
    }
    if fields.first("content-length").is_some() {
        return Err(Violation::LengthAndEncoding);
    }
    if !value.eq_ignore_ascii_case(b"chunked") {
        return Err(Violation::EncodingUnknown);
    }
    Ok(true)
}

fn length(fields: &Fields) -> Result<Option<u64>, Violation> {
    let mut values = fields.values("content-length");
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Violation::LengthRepeated);
    }
    let plain = !value.is_empty()
        && value.len() <= LENGTH_DIGITS_MAX
        && value.iter().all(u8::is_ascii_digit)
        && (value.len() == 1 || value.first() != Some(&b'0'));
    if !plain {
        return Err(Violation::LengthInvalid);
    }
    let number = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or(Violation::LengthInvalid)
}
