//! The request line and its target: text -> method, form, path, query, version. Knows no header.

use super::octets::{all, is_target, is_token};
use super::{Host, Violation};

/// HTTP/1.0 or HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    Http10,
    Http11,
}

impl Version {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

/// The form of a target (RFC 9112 §3.2); authority-form belongs to CONNECT, which is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetForm {
    Origin,
    /// With its authority, which must be the Host's.
    Absolute {
        https: bool,
        authority: Host,
    },
    Asterisk,
}

/// # Errors
/// What is wrong with the line, in the order method, target, version.
pub(super) fn check(line: &[u8]) -> Result<(), Violation> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else {
        return Err(Violation::RequestLine);
    };
    if method.is_empty() || target.is_empty() {
        return Err(Violation::RequestLine);
    }
    if !all(method, is_token) {
        return Err(Violation::MethodCharacter);
    }
    if !all(target, is_target) {
        return Err(Violation::TargetCharacter);
    }
    let Some(version) = parts.next() else { return Err(Violation::Http09) };
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => {}
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            return Err(Violation::Version);
        }
        _ => return Err(Violation::RequestLine),
    }
    if str::from_utf8(target).is_err() {
        return Err(Violation::TargetCharacter);
    }
    if matches!(method, b"CONNECT" | b"TRACE") {
        return Err(Violation::MethodRefused);
    }
    Ok(())
}

/// The form of a target and its path with query, as it is asked of an origin, where that is not the target itself.
///
/// # Errors
/// [`Violation::TargetForm`], or what is wrong with an absolute target's authority.
pub(super) fn target_form(method: &str, target: &str) -> Result<(TargetForm, Option<String>), Violation> {
    if target.starts_with('/') {
        return Ok((TargetForm::Origin, None));
    }
    if target == "*" && method == "OPTIONS" {
        return Ok((TargetForm::Asterisk, None));
    }
    let (scheme, rest) = target.split_once("://").ok_or(Violation::TargetForm)?;
    let https = match scheme {
        scheme if scheme.eq_ignore_ascii_case("http") => false,
        scheme if scheme.eq_ignore_ascii_case("https") => true,
        _ => return Err(Violation::TargetForm),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).ok_or(Violation::TargetForm)?;
    let authority = Host::parse(authority.as_bytes())?;
    let path = if tail.starts_with('/') { tail.to_owned() } else { format!("/{tail}") };
    Ok((TargetForm::Absolute { https, authority }, Some(path)))
}
