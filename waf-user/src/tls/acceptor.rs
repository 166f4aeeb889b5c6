//! Names and identities -> what handshakes with clients are made with. One configuration a name, no default: a hello
//! without a name that is served learns no certificate at all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;

use super::handshake::{self, HandshakeError, Hello};
use super::{ALPN, Identity, TlsError, provider};
use crate::model::Fqdn;

/// Certificates by exact name. Immutable; a new snapshot has a new one. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    configs: Arc<HashMap<Fqdn, Arc<ServerConfig>>>,
}

impl Acceptor {
    /// # Errors
    /// A name stands twice, or the TLS library refuses the set-up.
    pub fn new(identities: Vec<(Fqdn, Identity)>) -> Result<Arc<Self>, TlsError> {
        let ticketer = Ticketer::new().map_err(|source| TlsError::Setup { source })?;
        let mut configs = HashMap::with_capacity(identities.len());
        for (fqdn, identity) in identities {
            let config = server_config(&identity, Arc::clone(&ticketer))?;
            match configs.entry(fqdn) {
                Entry::Occupied(entry) => return Err(TlsError::Duplicate(entry.key().clone())),
                Entry::Vacant(entry) => entry.insert(config),
            };
        }
        Ok(Arc::new(Self { configs: Arc::new(configs) }))
    }

    /// Whether a client may ask for this name (lower case, without a final dot).
    pub fn serves(&self, name: &str) -> bool {
        self.configs.contains_key(name)
    }

    /// Reads a ClientHello; `within` bounds the wait. At most one handshake message (64 KiB) is held meanwhile. What is
    /// no TLS is answered with an alert and refused.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub async fn hello(&self, stream: TcpStream, within: Duration) -> Result<Hello, HandshakeError> {
        handshake::read_hello(self.clone(), stream, within).await
    }

    pub(super) fn config(&self, name: &str) -> Option<Arc<ServerConfig>> {
        self.configs.get(name).map(Arc::clone)
    }
}

/// TLS 1.2 and 1.3, http/1.1, stateless tickets; 0-RTT stays off (`max_early_data_size` 0): a replayed request would be
/// inspected and forwarded twice.
fn server_config(
    identity: &Identity,
    ticketer: Arc<dyn ProducesTickets>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let certificate = SingleCertAndKey::from(Arc::clone(&identity.certified));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Setup { source })?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ticketer;
    Ok(Arc::new(config))
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("names", &self.configs.len()).finish_non_exhaustive()
    }
}
