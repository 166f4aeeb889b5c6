//! The value of Host, or an authority: bytes -> name and port. Whether a site has that name is not known here.

use std::net::Ipv6Addr;

use super::Violation;

/// A host with its optional port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    text: String,
    /// None where it is the text itself.
    name: Option<String>,
    port: Option<u16>,
}

impl Host {
    /// `example.test`, `Example.Test.:8080`, `192.0.2.1`, `[2001:db8::1]:443`. User information, percent-encoding and
    /// anything else that two parsers may read differently is refused.
    ///
    /// # Errors
    /// [`Violation::HostInvalid`].
    pub fn parse(value: &[u8]) -> Result<Self, Violation> {
        let text = str::from_utf8(value).map_err(|_| Violation::HostInvalid)?;
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(parse_port(port).ok_or(Violation::HostInvalid)?))
            }
            _ => (text, None),
        };
        let name = if host.starts_with('[') {
            let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let address = literal.and_then(|literal| literal.parse::<Ipv6Addr>().ok());
            Some(format!("[{}]", address.ok_or(Violation::HostInvalid)?))
        } else {
            let name = host.strip_suffix('.').unwrap_or(host);
            if !is_name(name) {
                return Err(Violation::HostInvalid);
            }
            let as_written = name.len() == text.len() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
            (!as_written).then(|| name.to_ascii_lowercase())
        };
        Ok(Self { text: text.to_owned(), name, port })
    }

    /// As the visitor wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lower case, without port and final dot; an IPv6 address in brackets, in its canonical form.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.text)
    }

    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether both mean the same host and port, a port left out being the scheme's.
    pub(super) fn agrees(&self, other: &Self, port_default: u16) -> bool {
        self.name() == other.name() && self.port.unwrap_or(port_default) == other.port.unwrap_or(port_default)
    }
}

/// Letters, digits, `-`, `_` in non-empty labels: percent-encoding and sub-delims, which RFC 3986 allows, name no site.
fn is_name(name: &str) -> bool {
    let mut label = 0;
    for byte in name.bytes() {
        match byte {
            b'.' if label == 0 => return false,
            b'.' => label = 0,
            b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => label += 1,
            _ => return false,
        }
    }
    label > 0
}

fn parse_port(text: &str) -> Option<u16> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
