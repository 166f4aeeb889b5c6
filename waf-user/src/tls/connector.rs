//! A TCP connection to an origin -> a TLS connection with a verified name. How the origin was found is not known here.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream as RustlsStream};

use super::{ALPN, HandshakeError, TlsError, TlsStream, provider};
use crate::config::origin_url::OriginHost;

/// What handshakes with origins are made with. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    inner: TlsConnector,
}

impl Connector {
    /// Trusts the roots that browsers trust (Mozilla's programme, compiled in).
    ///
    /// # Errors
    /// The TLS library refuses the set-up.
    pub fn new() -> Result<Self, TlsError> {
        Self::with_store(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// Trusts only the given roots: a customer's own CA.
    ///
    /// # Errors
    /// No usable certificate in the PEM text.
    pub fn with_roots(roots_pem: &[u8]) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots_pem) {
            let root = root.map_err(|source| TlsError::CertificatePem { source })?;
            store.add(root).map_err(|source| TlsError::Certificate { source })?;
        }
        if store.is_empty() { Err(TlsError::NoRoots) } else { Self::with_store(store) }
    }

    fn with_store(store: RootCertStore) -> Result<Self, TlsError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Setup { source })?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { inner: TlsConnector::from(Arc::new(config)) })
    }

    /// Handshake within a time. A name is sent as SNI and verified; an address sends none and is verified by the
    /// certificate's IP SAN (RFC 9110 §4.3.5).
    ///
    /// # Errors
    /// See [`HandshakeError`]; a certificate that does not verify is `Failed`.
    pub async fn connect(
        &self,
        stream: TcpStream,
        host: &OriginHost,
        within: Duration,
    ) -> Result<TlsStream, HandshakeError> {
        let name = server_name(host)?;
        match tokio::time::timeout(within, self.inner.connect(name, stream)).await {
            Err(_elapsed) => Err(HandshakeError::Timeout),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(stream)) => Ok(TlsStream::new(RustlsStream::Client(stream))),
        }
    }
}

fn server_name(host: &OriginHost) -> Result<ServerName<'static>, HandshakeError> {
    match host {
        OriginHost::Address(address) => Ok(ServerName::IpAddress(IpAddr::into(*address))),
        OriginHost::Name(name) => {
            ServerName::try_from(name.as_str().to_owned()).map_err(|_invalid| HandshakeError::Failed {
                source: rustls::Error::General(format!("{name} cannot stand in a certificate")),
            })
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
