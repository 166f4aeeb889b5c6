//! The only place that names rustls: certificates by SNI, server and client configurations.

use std::sync::Arc;

use crate::model::Fqdn;

/// Why a certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{0}")]
    Placeholder(String),
}

/// A certificate chain with its private key, checked against each other.
#[derive(Clone, Debug)]
pub struct Identity {}

impl Identity {
    /// # Errors
    /// No certificate or key in the PEM text, a key of an unknown kind, or one that does not fit the certificate.
    pub fn from_pem(_certificate_pem: &[u8], _key_pem: &[u8]) -> Result<Self, TlsError> {
        Ok(Self {})
    }
}

/// What handshakes with clients are made with: one certificate per name, no default that could leak another's.
#[derive(Clone, Debug)]
pub struct Acceptor {}

impl Acceptor {
    /// # Errors
    /// None of the names can be served.
    pub fn new(_identities: Vec<(Fqdn, Identity)>) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self {}))
    }
}
