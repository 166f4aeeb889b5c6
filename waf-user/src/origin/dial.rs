//! An origin and one of its addresses -> a connection that is ready for a request, or the named failure. Remembers for a
//! while which addresses failed.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpStream;

use super::error::OriginError;
use super::limits::{CONNECT_WITHIN, FAILED_FOR, FAILED_MAX};
use super::stream::OriginStream;
use super::upstreams::Upstreams;
use crate::config::{OriginUrl, Scheme};
use crate::telemetry::{Metrics, OriginConnect};
use crate::tls::Connector;

/// Opens the connections of one worker.
#[derive(Debug)]
pub struct Dialer {
    /// When an address failed last.
    failed: RefCell<HashMap<SocketAddr, Instant>>,
    /// Made when the first https origin is met.
    connector: OnceCell<Connector>,
    metrics: Arc<Metrics>,
}

impl Dialer {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { failed: RefCell::default(), connector: OnceCell::new(), metrics }
    }

    /// Trusts what the connector trusts, rather than the browsers' roots.
    pub fn with_connector(metrics: Arc<Metrics>, connector: Connector) -> Self {
        Self { connector: OnceCell::from(connector), ..Self::new(metrics) }
    }

    /// Whether an address failed so lately that others are to be tried first.
    pub fn failed_lately(&self, address: SocketAddr) -> bool {
        self.failed.borrow().get(&address).is_some_and(|at| at.elapsed() < FAILED_FOR)
    }

    /// Checks the address, connects, and shakes hands where the origin speaks TLS.
    ///
    /// # Errors
    /// See [`OriginError`].
    pub async fn dial(
        &self,
        upstreams: &Upstreams,
        origin: &OriginUrl,
        address: SocketAddr,
    ) -> Result<OriginStream, OriginError> {
        if let Err(source) = upstreams.check(address) {
            self.metrics.origin(OriginConnect::Forbidden);
            return Err(OriginError::Forbidden { origin: origin.clone(), address, source });
        }
        match self.open(origin, address).await {
            Ok(stream) => {
                self.failed.borrow_mut().remove(&address);
                self.metrics.origin(OriginConnect::Opened);
                Ok(stream)
            }
            Err(error) => {
                self.remember_failure(address);
                self.metrics.origin(OriginConnect::ConnectFailed);
                Err(error)
            }
        }
    }

    async fn open(&self, origin: &OriginUrl, address: SocketAddr) -> Result<OriginStream, OriginError> {
        let connect = |source| OriginError::Connect { origin: origin.clone(), address, source };
        let stream = match tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
            Err(_elapsed) => return Err(connect(io::ErrorKind::TimedOut.into())),
            Ok(stream) => stream.map_err(connect)?,
        };
        stream.set_nodelay(true).map_err(connect)?;
        if origin.scheme == Scheme::Http {
            return Ok(OriginStream::Plain(stream));
        }
        match self.connector(origin)?.connect(stream, &origin.host, CONNECT_WITHIN).await {
            Ok(stream) => Ok(OriginStream::Tls(Box::new(stream))),
            Err(source) => {
                Err(OriginError::Handshake { origin: origin.clone(), address, source: Box::new(source) })
            }
        }
    }

    fn connector(&self, origin: &OriginUrl) -> Result<Connector, OriginError> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector.clone());
        }
        let connector =
            Connector::new().map_err(|source| OriginError::Tls { origin: origin.clone(), source })?;
        Ok(self.connector.get_or_init(|| connector).clone())
    }

    fn remember_failure(&self, address: SocketAddr) {
        let mut failed = self.failed.borrow_mut();
        if failed.len() >= FAILED_MAX {
            failed.retain(|_, at| at.elapsed() < FAILED_FOR);
        }
        // A full table only means that the address is tried again at its next turn.
        if failed.len() < FAILED_MAX {
            failed.insert(address, Instant::now());
        }
    }
}
