//! Bytes of TLS <-> plain bytes, the only place that names rustls: certificates by SNI towards clients, verified names
//! towards origins. Which site a name belongs to and what is spoken inside are not known here.

mod acceptor;
mod connector;
mod handshake;
mod identity;
mod mutual;
mod plain;
mod stream;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub use acceptor::{Acceptor, Shown};
pub use connector::Connector;
pub use handshake::{HandshakeError, Hello};
pub use identity::{Identity, TlsError};
pub use mutual::{MutualAcceptor, MutualConnector, Peer, explain};
pub use plain::PlainAcceptor;
pub use stream::TlsStream;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// What is spoken inside, in both directions (RFC 7301). h2 joins with its own module.
const ALPN: &[u8] = b"http/1.1";

/// The cryptography of every configuration; named each time, so that no process-wide default decides.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
