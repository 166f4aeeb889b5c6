//! PEM text of a certificate chain and its key -> an [`Identity`] whose two halves fit. No chain of trust is checked:
//! the visitors' browsers do that.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_parser::parse_x509_certificate;

use super::provider;
use crate::model::{Fqdn, Wall};

/// Certificates of one chain: a leaf, a few intermediates; more is a bundle given by mistake.
const CHAIN_LEN_MAX: usize = 10;

/// Why a certificate or key cannot be used, or a configuration not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("certificate file holds no certificate (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[error("read the certificate's PEM text")]
    CertificatePem { source: pem::Error },
    #[error("certificate chain is longer than {CHAIN_LEN_MAX} (is this a bundle of roots?)")]
    ChainLength,
    #[error("read the site's certificate, the first of the chain")]
    Certificate { source: Error },
    #[error("key file holds no private key (-----BEGIN PRIVATE KEY-----, not encrypted)")]
    NoKey,
    #[error("read the key's PEM text")]
    KeyPem { source: pem::Error },
    #[error(
        "private key is of a kind that is not supported (use ECDSA P-256 or P-384, Ed25519, or RSA from 2048 bits)"
    )]
    KeyKind { source: Error },
    #[error("private key does not belong to the certificate")]
    KeyMismatch,
    #[error("certificate {place} of the chain is no X.509 certificate")]
    Link { place: usize },
    #[error("certificate {place} of the chain did not issue the one before it")]
    Order { place: usize },
    #[error("two certificates for {fqdn} at {address}")]
    Duplicate { fqdn: Fqdn, address: IpAddr },
    #[error("root certificates hold nothing usable")]
    NoRoots,
    #[error("set up TLS")]
    Setup { source: Error },
}

/// A certificate chain with its private key, checked against each other. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
}

impl Identity {
    /// `certificate_pem`: the site's certificate first, then its intermediates. `key_pem`: PKCS#8, SEC1 or PKCS#1.
    ///
    /// # Errors
    /// No certificate or key in the PEM text, a key of an unknown kind, or one that does not fit the certificate.
    pub fn from_pem(certificate_pem: &[u8], key_pem: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificate_pem)
            .take(CHAIN_LEN_MAX + 1)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| TlsError::CertificatePem { source })?;
        match chain.len() {
            0 => return Err(TlsError::NoCertificate),
            len if len > CHAIN_LEN_MAX => return Err(TlsError::ChainLength),
            _ => {}
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|source| match source {
            pem::Error::NoItemsFound => TlsError::NoKey,
            source => TlsError::KeyPem { source },
        })?;
        let key =
            provider().key_provider.load_private_key(key).map_err(|source| TlsError::KeyKind { source })?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::KeyMismatch,
            source => TlsError::Certificate { source },
        })?;
        Ok(Self { certified: Arc::new(certified) })
    }

    /// Whether browsers will take the certificate for this name (RFC 6125: a SAN of it, or a wildcard of its parent).
    pub fn covers(&self, fqdn: &Fqdn) -> bool {
        let Ok(name) = ServerName::try_from(fqdn.as_str()) else { return false };
        self.certified
            .end_entity_cert()
            .and_then(ParsedCertificate::try_from)
            .and_then(|leaf| rustls::client::verify_server_name(&leaf, &name))
            .is_ok()
    }

    /// From when until when the whole chain is valid (RFC 5280 §4.1.2.5): the latest beginning, the earliest end. Each
    /// certificate must name the next as its issuer; signatures are left to the visitors' browsers.
    ///
    /// # Errors
    /// [`TlsError::Link`] and [`TlsError::Order`], places counted from 1.
    pub fn validity(&self) -> Result<(Wall, Wall), TlsError> {
        let (mut begins, mut ends) = (Wall(0), Wall(u64::MAX));
        let mut issuer: Option<Vec<u8>> = None;
        for (at, certificate) in self.certified.cert.iter().enumerate() {
            let place = at + 1;
            let (_rest, parsed) =
                parse_x509_certificate(certificate).map_err(|_| TlsError::Link { place })?;
            if issuer.is_some_and(|issuer| issuer != parsed.subject().as_raw()) {
                return Err(TlsError::Order { place });
            }
            issuer = Some(parsed.issuer().as_raw().to_vec());
            let wall = |seconds: i64| Wall(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000));
            begins = begins.max(wall(parsed.validity().not_before.timestamp()));
            ends = ends.min(wall(parsed.validity().not_after.timestamp()));
        }
        Ok((begins, ends))
    }

    /// SHA-256 of the chain's DER, leaf first: two uploads of one chain have one fingerprint.
    pub fn fingerprint(&self) -> [u8; 32] {
        let suite = TLS13_AES_128_GCM_SHA256.tls13().expect("a suite of TLS 1.3, as its name says");
        let mut context = suite.common.hash_provider.start();
        for certificate in &self.certified.cert {
            context.update(certificate);
        }
        let mut fingerprint = [0; 32];
        for (to, from) in fingerprint.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        fingerprint
    }
}

/// Names the chain's length only: neither keys nor certificates belong into logs.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("chain_len", &self.certified.cert.len()).finish_non_exhaustive()
    }
}
