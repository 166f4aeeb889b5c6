//! Addresses, names and identities -> what handshakes with clients are made with. One configuration for a name at an
//! address, no default: a hello without a name that is served there learns no certificate at all. While a site moves, two
//! environments of one name are served on one node, each at its own addresses with its own certificate.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
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

/// What is shown to clients that ask for a name at one of some addresses.
#[derive(Clone, Debug)]
pub struct Shown {
    pub fqdn: Fqdn,
    pub addresses: Vec<IpAddr>,
    pub identity: Identity,
}

/// Of one name: n <= 8, for an environment has two or four addresses.
type ByAddress = Vec<(IpAddr, Arc<ServerConfig>)>;

/// Certificates by exact name and local address. Immutable; a new snapshot has a new one. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    configs: Arc<HashMap<Fqdn, ByAddress>>,
}

impl Acceptor {
    /// # Errors
    /// A name stands twice at an address, or the TLS library refuses the set-up.
    pub fn new(shown: Vec<Shown>) -> Result<Arc<Self>, TlsError> {
        let ticketer = Ticketer::new().map_err(|source| TlsError::Setup { source })?;
        let mut configs: HashMap<Fqdn, ByAddress> = HashMap::with_capacity(shown.len());
        for Shown { fqdn, addresses, identity } in shown {
            let config = server_config(&identity, Arc::clone(&ticketer))?;
            let known = configs.entry(fqdn.clone()).or_default();
            for address in addresses.iter().map(IpAddr::to_canonical) {
                if known.iter().any(|(taken, _)| *taken == address) {
                    return Err(TlsError::Duplicate { fqdn, address });
                }
                known.push((address, Arc::clone(&config)));
            }
        }
        Ok(Arc::new(Self { configs: Arc::new(configs) }))
    }

    /// Whether a client may ask for this name (lower case, without a final dot) at an address of ours.
    pub fn serves(&self, name: &str, address: IpAddr) -> bool {
        self.config(name, address).is_some()
    }

    /// Reads a ClientHello; `within` bounds the wait. At most one handshake message (64 KiB) is held meanwhile. What is
    /// no TLS is answered with an alert and refused.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub async fn hello(&self, stream: TcpStream, within: Duration) -> Result<Hello, HandshakeError> {
        handshake::read_hello(self.clone(), stream, within).await
    }

    pub(super) fn config(&self, name: &str, address: IpAddr) -> Option<Arc<ServerConfig>> {
        let address = address.to_canonical();
        let found = self.configs.get(name)?.iter().find(|(own, _)| *own == address);
        found.map(|(_, config)| Arc::clone(config))
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
