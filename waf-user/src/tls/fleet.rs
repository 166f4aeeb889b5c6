//! A node's TLS towards control: by its certificate, or, to get one, by the authority's fingerprint in a join token. TLS
//! 1.3 and HTTP/2 only. What is said inside is not known here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream as RustlsStream};

use super::{HandshakeError, TlsError, TlsStream, provider};
use crate::model::sync::CONTROL_NAME;

const ALPN_H2: &[u8] = b"h2";

/// What handshakes with control are made with. Cheap to clone.
#[derive(Clone)]
pub struct FleetConnector {
    inner: TlsConnector,
}

impl FleetConnector {
    /// As a member of the fleet. All three in PEM.
    ///
    /// # Errors
    /// One of them is unusable, or the key does not fit.
    pub fn member(authority: &[u8], certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(authority)? {
            roots.add(root).map_err(|source| TlsError::Certificate { source })?;
        }
        if roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::KeyPem { source })?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|source| TlsError::Setup { source })?
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates(certificate)?, key)
            .map_err(|source| TlsError::Setup { source })?;
        Ok(Self::new(config))
    }

    /// As a stranger with a token: trusts the authority whose certificate has this SHA-256, which the other side is to
    /// send with its own. `sha256` hashes.
    ///
    /// # Errors
    /// The TLS library refuses the set-up.
    pub fn joining(authority: [u8; 32], sha256: fn(&[u8]) -> [u8; 32]) -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|source| TlsError::Setup { source })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ByFingerprint { authority, sha256 }))
            .with_no_client_auth();
        Ok(Self::new(config))
    }

    fn new(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        Self { inner: TlsConnector::from(Arc::new(config)) }
    }

    /// Handshake within a time.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub async fn connect(&self, stream: TcpStream, within: Duration) -> Result<TlsStream, HandshakeError> {
        let name = ServerName::try_from(CONTROL_NAME).map_err(|_invalid| HandshakeError::Failed {
            source: Error::General(format!("{CONTROL_NAME} cannot stand in a certificate")),
        })?;
        match tokio::time::timeout(within, self.inner.connect(name, stream)).await {
            Err(_elapsed) => Err(HandshakeError::Timeout),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(stream)) => Ok(TlsStream::new(RustlsStream::Client(stream))),
        }
    }
}

impl fmt::Debug for FleetConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FleetConnector")
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    all.map_err(|source| TlsError::CertificatePem { source })
}

/// Verifies as always, with the one root that the token names.
#[derive(Debug)]
struct ByFingerprint {
    authority: [u8; 32],
    sha256: fn(&[u8]) -> [u8; 32],
}

impl ServerCertVerifier for ByFingerprint {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let named = intermediates.iter().find(|it| (self.sha256)(it) == self.authority);
        let Some(root) = named else { return Err(CertificateError::UnknownIssuer.into()) };
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("control speaks TLS 1.3".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
