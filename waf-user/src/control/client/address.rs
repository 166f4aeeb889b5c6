//! The text of `--control` -> where `waf control` listens, and whether a token may be sent there.

use std::fmt;
use std::str::FromStr;

use super::ClientError;
use crate::config::origin_url::{OriginHost, OriginUrl, Scheme};

/// Scheme, host and port. Without TLS only our own machine: a token must not cross a network in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlUrl {
    inner: OriginUrl,
}

impl ControlUrl {
    pub fn is_tls(&self) -> bool {
        self.inner.scheme == Scheme::Https
    }

    pub fn host(&self) -> &OriginHost {
        &self.inner.host
    }

    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// `host:port`, an IPv6 address in brackets: what stands in Host (RFC 9110 §7.2).
    pub fn authority(&self) -> String {
        let port = self.inner.port;
        match &self.inner.host {
            OriginHost::Address(std::net::IpAddr::V6(address)) => format!("[{address}]:{port}"),
            OriginHost::Address(address) => format!("{address}:{port}"),
            OriginHost::Name(name) => format!("{name}:{port}"),
        }
    }
}

impl FromStr for ControlUrl {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = OriginUrl::parse(text)
            .map_err(|source| ClientError::Url { text: text.to_owned(), reason: source.to_string() })?;
        let is_here = match &inner.host {
            OriginHost::Address(address) => address.is_loopback(),
            OriginHost::Name(name) => name.as_str() == "localhost",
        };
        if inner.scheme == Scheme::Http && !is_here {
            return Err(ClientError::Clear { text: text.to_owned() });
        }
        Ok(Self { inner })
    }
}

impl fmt::Display for ControlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}
