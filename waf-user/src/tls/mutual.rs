//! TLS 1.3 between nodes and control: both sides know each other by one authority of ours, h2 is spoken inside. A client
//! may come without a certificate, to get one; what it may do then is the caller's question. A client that knows the
//! authority by its fingerprint only, from a join token, trusts what was sent along with the server's certificate.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    ServerConfig, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream as RustlsStream};
use x509_parser::parse_x509_certificate;

use super::{HandshakeError, Identity, TlsError, TlsStream, provider};
use crate::model::Wall;

/// What is spoken inside (RFC 9113 §3.2).
const ALPN_H2: &[u8] = b"h2";

/// Who is on the other side, as its certificate says, which the authority issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The subject's common name.
    pub name: String,
    /// Serial number, lower-case hexadecimal digits.
    pub serial: String,
    pub ends: Wall,
}

/// The server's side.
#[derive(Clone)]
pub struct MutualAcceptor {
    inner: TlsAcceptor,
}

impl MutualAcceptor {
    /// Takes clients of this authority, and such without a certificate.
    ///
    /// # Errors
    /// No authority in the PEM text, or the TLS library refuses the set-up.
    pub fn new(authority_pem: &[u8], identity: &Identity) -> Result<Self, TlsError> {
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(authority_pem)?, provider())
            .allow_unauthenticated()
            .build()
            .map_err(|_no_anchors| TlsError::NoRoots)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|source| TlsError::Setup { source })?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&identity.certified))));
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        // A resumed session would outlive a certificate that has ended meanwhile.
        config.send_tls13_tickets = 0;
        Ok(Self { inner: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Handshake within a time. No [`Peer`]: the client has no certificate.
    ///
    /// # Errors
    /// See [`HandshakeError`]; a certificate of another authority, or one that has ended, is `Failed`.
    pub async fn accept(
        &self,
        stream: TcpStream,
        within: Duration,
    ) -> Result<(TlsStream, Option<Peer>), HandshakeError> {
        let stream = tokio::time::timeout(within, self.inner.accept(stream))
            .await
            .map_err(|_elapsed| HandshakeError::Timeout)??;
        let leaf = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let peer = leaf.map(peer_of).transpose()?;
        Ok((TlsStream::new(RustlsStream::Server(stream)), peer))
    }
}

impl fmt::Debug for MutualAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MutualAcceptor")
    }
}

/// The client's side.
#[derive(Clone)]
pub struct MutualConnector {
    inner: TlsConnector,
}

impl MutualConnector {
    /// Trusts this authority and shows this certificate.
    ///
    /// # Errors
    /// No authority in the PEM text, or the TLS library refuses the set-up.
    pub fn new(authority_pem: &[u8], identity: &Identity) -> Result<Self, TlsError> {
        let verifier = WebPkiServerVerifier::builder_with_provider(roots(authority_pem)?, provider())
            .build()
            .map_err(|_no_anchors| TlsError::NoRoots)?;
        let config = client(verifier)?
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&identity.certified))));
        Ok(Self::with(config))
    }

    /// Trusts the authority whose certificate has this SHA-256, and shows no certificate: for joining.
    ///
    /// # Errors
    /// The TLS library refuses the set-up.
    pub fn pinned(fingerprint: [u8; 32]) -> Result<Self, TlsError> {
        Ok(Self::with(client(Arc::new(Pinned { fingerprint }))?.with_no_client_auth()))
    }

    fn with(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        Self { inner: TlsConnector::from(Arc::new(config)) }
    }

    /// Handshake within a time. `name` is what the server's certificate must be for.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub async fn connect(
        &self,
        stream: TcpStream,
        name: &str,
        within: Duration,
    ) -> Result<TlsStream, HandshakeError> {
        let name = ServerName::try_from(name.to_owned()).map_err(|_invalid| HandshakeError::Failed {
            source: Error::General(format!("{name} cannot stand in a certificate")),
        })?;
        let stream = tokio::time::timeout(within, self.inner.connect(name, stream))
            .await
            .map_err(|_elapsed| HandshakeError::Timeout)??;
        Ok(TlsStream::new(RustlsStream::Client(stream)))
    }
}

impl fmt::Debug for MutualConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MutualConnector")
    }
}

/// Why the other side ended a connection, for a node's operator: in TLS 1.3 a client hears of its refused certificate
/// with its first read, as an I/O error. None where the error is about something else.
pub fn explain(error: &io::Error) -> Option<&'static str> {
    let source = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match source {
        Error::AlertReceived(AlertDescription::CertificateExpired) => {
            "control says that this node's certificate has ended: join again with a new token"
        }
        Error::AlertReceived(AlertDescription::UnknownCA | AlertDescription::DecryptError) => {
            "control did not issue this node's certificate: join again with a token of this control plane"
        }
        Error::AlertReceived(AlertDescription::BadCertificate | AlertDescription::UnsupportedCertificate) => {
            "control does not take this node's certificate for a node's: join again with a new token"
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "control's certificate has ended: are the clocks of both machines right?"
        }
        Error::InvalidCertificate(_) => {
            "what answers is not the control plane that this node, or its token, belongs to"
        }
        _ => return None,
    })
}

fn client(
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, TlsError> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|source| TlsError::Setup { source })?
        .dangerous()
        .with_custom_certificate_verifier(verifier))
}

fn roots(pem: &[u8]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(pem) {
        let root = root.map_err(|source| TlsError::CertificatePem { source })?;
        store.add(root).map_err(|source| TlsError::Certificate { source })?;
    }
    if store.is_empty() { Err(TlsError::NoRoots) } else { Ok(Arc::new(store)) }
}

fn peer_of(leaf: &CertificateDer<'_>) -> Result<Peer, HandshakeError> {
    let odd = || HandshakeError::Failed { source: Error::InvalidCertificate(CertificateError::BadEncoding) };
    let (_rest, parsed) = parse_x509_certificate(leaf).map_err(|_| odd())?;
    let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let seconds = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    Ok(Peer {
        name: name.ok_or_else(odd)?.to_owned(),
        serial: parsed.tbs_certificate.serial.to_str_radix(16),
        ends: Wall(seconds.saturating_mul(1000)),
    })
}

/// Looks for the authority of a fingerprint among what the server sent, then trusts it and nothing else.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_pinned = |it: &&CertificateDer<'_>| {
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, it).as_ref() == self.fingerprint
        };
        let unknown = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let authority = others.iter().find(is_pinned).ok_or_else(unknown)?;
        let mut store = RootCertStore::empty();
        store.add(authority.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()).build();
        verifier.map_err(|_| unknown())?.verify_server_cert(leaf, others, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
