//! The server's side of a listener of our own for people and their programs: one certificate whatever name is asked for,
//! nothing asked of the client, HTTP/1.1 inside.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsStream as RustlsStream};

use super::{ALPN, HandshakeError, Identity, TlsError, TlsStream, provider};

/// What handshakes with clients of one listener are made with. Cheap to clone.
#[derive(Clone)]
pub struct PlainAcceptor {
    inner: TlsAcceptor,
}

impl PlainAcceptor {
    /// TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// The TLS library refuses the set-up.
    pub fn new(identity: &Identity) -> Result<Self, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Setup { source })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&identity.certified))));
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { inner: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Handshake within a time.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub async fn accept(&self, stream: TcpStream, within: Duration) -> Result<TlsStream, HandshakeError> {
        match tokio::time::timeout(within, self.inner.accept(stream)).await {
            Err(_elapsed) => Err(HandshakeError::Timeout),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(stream)) => Ok(TlsStream::new(RustlsStream::Server(stream))),
        }
    }
}

impl fmt::Debug for PlainAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainAcceptor")
    }
}
