//! The URL of a customer's server: scheme, host, port, nothing else.

use std::fmt;
use std::net::IpAddr;

use crate::model::{Fqdn, FqdnError};

/// http or https towards the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

/// Host of an origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OriginHost {
    Address(IpAddr),
    Name(Fqdn),
}

/// Why a text is no origin URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginUrlError {
    #[error("scheme must be http:// or https://")]
    Scheme,
    #[error("an origin has no path, query, fragment or user")]
    Extra,
    #[error("port must be 1..65535")]
    Port,
    #[error("host: {0}")]
    Host(#[from] FqdnError),
}

/// One origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginUrl {
    pub scheme: Scheme,
    pub host: OriginHost,
    pub port: u16,
}

impl OriginUrl {
    /// `http://10.9.0.2:8080`, `https://[2001:db8::1]`, `https://origin.example`.
    ///
    /// # Errors
    /// See [`OriginUrlError`].
    pub fn parse(text: &str) -> Result<Self, OriginUrlError> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else {
            return Err(OriginUrlError::Scheme);
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@']) {
            return Err(OriginUrlError::Extra);
        }
        let (host, port) = split_port(authority);
        let port = match port {
            Some(text) => text.parse().ok().filter(|port| *port != 0).ok_or(OriginUrlError::Port)?,
            None if scheme == Scheme::Http => 80,
            None => 443,
        };
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let host = match address.parse::<IpAddr>() {
            Ok(address) => OriginHost::Address(address),
            Err(_) => OriginHost::Name(Fqdn::new(host)?),
        };
        Ok(Self { scheme, host, port })
    }
}

/// Splits `host:port`; a bare IPv6 address must stand in brackets to carry a port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

impl fmt::Display for OriginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            Scheme::Http => "http://",
            Scheme::Https => "https://",
        })?;
        match &self.host {
            OriginHost::Address(IpAddr::V6(v6)) => write!(f, "[{v6}]:{}", self.port),
            OriginHost::Address(address) => write!(f, "{address}:{}", self.port),
            OriginHost::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests;
