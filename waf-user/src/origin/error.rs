//! Why a site's origins could not be reached.

use std::io;
use std::net::SocketAddr;

use super::policy::Forbidden;
use crate::config::OriginUrl;
use crate::tls::{HandshakeError, TlsError};

/// The last failure of those met.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    #[error("the site has no origin")]
    NoOrigin,
    #[error("resolve {origin}")]
    Resolve { origin: OriginUrl, source: io::Error },
    #[error("refuse to connect to {origin} at {address}")]
    Forbidden { origin: OriginUrl, address: SocketAddr, source: Forbidden },
    #[error("connect to {origin} at {address}")]
    Connect { origin: OriginUrl, address: SocketAddr, source: io::Error },
    #[error("handshake with {origin} at {address}")]
    Handshake { origin: OriginUrl, address: SocketAddr, source: Box<HandshakeError> },
    #[error("prepare TLS towards {origin}")]
    Tls { origin: OriginUrl, source: TlsError },
}

impl OriginError {
    /// Whether the origin was too slow (504) rather than broken (502).
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Resolve { source, .. } | Self::Connect { source, .. } => {
                source.kind() == io::ErrorKind::TimedOut
            }
            Self::Handshake { source, .. } => matches!(**source, HandshakeError::Timeout),
            Self::NoOrigin | Self::Forbidden { .. } | Self::Tls { .. } => false,
        }
    }
}
