//! A site's origins -> a connection that is ready for one request, reused or new. One pool a worker, used on its thread
//! only. What is sent over a connection, and whether a request may be sent again, is not known here.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::idle::{IdleConnection, IdleConnections};
use super::limits::{ATTEMPTS_MAX, CONNECT_WITHIN, FAILED_FOR, FAILED_MAX};
use super::policy::Forbidden;
use super::resolve::Resolver;
use super::stream::OriginStream;
use super::upstreams::Upstreams;
use crate::config::{OriginUrl, Scheme};
use crate::model::TenantId;
use crate::telemetry::{Metrics, OriginConnect};
use crate::tls::{Connector, HandshakeError, TlsError};

/// Why no origin of a site could be reached: the last failure.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    #[error("the site has no origin")]
    NoOrigin,
    #[error("resolve {origin}")]
    Resolve { origin: OriginUrl, source: io::Error },
    #[error("refuse to connect to {origin} at {address}")]
    Forbidden { origin: OriginUrl, address: SocketAddr, source: Forbidden },
    #[error("connect to {origin} at {address}")]
    Connect { origin: OriginUrl, address: SocketAddr, source: io::Error },
    #[error("handshake with {origin} at {address}")]
    Handshake { origin: OriginUrl, address: SocketAddr, source: Box<HandshakeError> },
    #[error("prepare TLS towards {origin}")]
    Tls { origin: OriginUrl, source: TlsError },
}

impl OriginError {
    /// Whether the origin was too slow (504) rather than broken (502).
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Resolve { source, .. } | Self::Connect { source, .. } => {
                source.kind() == io::ErrorKind::TimedOut
            }
            Self::Handshake { source, .. } => matches!(**source, HandshakeError::Timeout),
            Self::NoOrigin | Self::Forbidden { .. } | Self::Tls { .. } => false,
        }
    }
}

/// Origin connections of one worker. Cheap to clone; not for other threads.
#[derive(Clone, Debug)]
pub struct Pool {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    idle: RefCell<IdleConnections>,
    resolver: Resolver,
    /// Addresses that failed, and when: they are tried last for a while.
    failed: RefCell<HashMap<SocketAddr, Instant>>,
    /// Made when the first https origin is met.
    connector: OnceCell<Connector>,
    metrics: Arc<Metrics>,
}

impl Pool {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let inner = Inner {
            idle: RefCell::default(),
            resolver: Resolver::default(),
            failed: RefCell::default(),
            connector: OnceCell::new(),
            metrics,
        };
        Self { inner: Rc::new(inner) }
    }

    /// A pool that trusts other roots than the browsers'.
    pub fn with_connector(metrics: Arc<Metrics>, connector: Connector) -> Self {
        let pool = Self::new(metrics);
        // The cell is empty: the pool was made in the line above.
        let _set = pool.inner.connector.set(connector);
        pool
    }

    /// A connection for one request, from the origin whose turn it is: an idle one of the tenant, else a new one; the
    /// next origin where it does not answer.
    ///
    /// # Errors
    /// The last failure, when all that were tried failed.
    pub async fn connect(&self, upstreams: &Upstreams, tenant: TenantId) -> Result<Lease, OriginError> {
        self.sweep();
        self.open(upstreams, tenant, Reuse::Idle).await
    }

    /// The same without reuse: for a request that is sent again because a reused connection died.
    ///
    /// # Errors
    /// The last failure.
    pub async fn fresh(&self, upstreams: &Upstreams, tenant: TenantId) -> Result<Lease, OriginError> {
        self.open(upstreams, tenant, Reuse::Never).await
    }

    /// Closes connections that have been idle for too long; `connect` does it too.
    pub fn sweep(&self) {
        self.inner.idle.borrow_mut().sweep(Instant::now());
    }

    /// Idle connections held.
    pub fn idle(&self) -> usize {
        self.inner.idle.borrow().len()
    }

    /// Tries the origins in turn, each with all its addresses, those that failed lately last.
    async fn open(
        &self,
        upstreams: &Upstreams,
        tenant: TenantId,
        reuse: Reuse,
    ) -> Result<Lease, OriginError> {
        let mut failure = OriginError::NoOrigin;
        let mut put_off = Vec::new();
        let mut attempts = 0;
        for origin in upstreams.in_turn() {
            if reuse == Reuse::Idle
                && let Some(lease) = self.take_idle(upstreams, tenant, origin)
            {
                return Ok(lease);
            }
            let addresses = match self.inner.resolver.addresses(origin).await {
                Ok(addresses) => addresses,
                Err(source) => {
                    self.inner.metrics.origin(OriginConnect::ResolveFailed);
                    failure = OriginError::Resolve { origin: origin.clone(), source };
                    continue;
                }
            };
            for address in addresses {
                if self.failed_lately(address) {
                    put_off.push((origin, address));
                    continue;
                }
                if attempts == ATTEMPTS_MAX {
                    return Err(failure);
                }
                attempts += 1;
                match self.open_one(upstreams, origin, address).await {
                    Ok(stream) => return Ok(self.lease(tenant, origin.clone(), address, stream)),
                    Err(error) => failure = error,
                }
            }
        }
        for (origin, address) in put_off.into_iter().take(ATTEMPTS_MAX - attempts) {
            match self.open_one(upstreams, origin, address).await {
                Ok(stream) => return Ok(self.lease(tenant, origin.clone(), address, stream)),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Hot: per request.
    fn take_idle(&self, upstreams: &Upstreams, tenant: TenantId, origin: &OriginUrl) -> Option<Lease> {
        let permits = |address| upstreams.check(address).is_ok();
        let idle = self.inner.idle.borrow_mut().take(tenant, origin, Instant::now(), permits)?;
        self.inner.metrics.origin(OriginConnect::Reused);
        let lease = self.lease(tenant, idle.origin, idle.address, idle.stream);
        Some(Lease { reused: true, ..lease })
    }

    async fn open_one(
        &self,
        upstreams: &Upstreams,
        origin: &OriginUrl,
        address: SocketAddr,
    ) -> Result<OriginStream, OriginError> {
        if let Err(source) = upstreams.check(address) {
            self.inner.metrics.origin(OriginConnect::Forbidden);
            return Err(OriginError::Forbidden { origin: origin.clone(), address, source });
        }
        match self.dial(origin, address).await {
            Ok(stream) => {
                self.inner.failed.borrow_mut().remove(&address);
                self.inner.metrics.origin(OriginConnect::Opened);
                Ok(stream)
            }
            Err(error) => {
                self.remember_failure(address);
                self.inner.metrics.origin(OriginConnect::ConnectFailed);
                Err(error)
            }
        }
    }

    async fn dial(&self, origin: &OriginUrl, address: SocketAddr) -> Result<OriginStream, OriginError> {
        let connect = |source| OriginError::Connect { origin: origin.clone(), address, source };
        let stream = match tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
            Err(_elapsed) => return Err(connect(io::ErrorKind::TimedOut.into())),
            Ok(stream) => stream.map_err(connect)?,
        };
        stream.set_nodelay(true).map_err(connect)?;
        if origin.scheme == Scheme::Http {
            return Ok(OriginStream::Plain(stream));
        }
        let handshake = self.connector(origin)?.connect(stream, &origin.host, CONNECT_WITHIN).await;
        let stream = handshake.map_err(|source| OriginError::Handshake {
            origin: origin.clone(),
            address,
            source: Box::new(source),
        })?;
        Ok(OriginStream::Tls(Box::new(stream)))
    }

    fn connector(&self, origin: &OriginUrl) -> Result<Connector, OriginError> {
        if let Some(connector) = self.inner.connector.get() {
            return Ok(connector.clone());
        }
        let connector =
            Connector::new().map_err(|source| OriginError::Tls { origin: origin.clone(), source })?;
        Ok(self.inner.connector.get_or_init(|| connector).clone())
    }

    fn failed_lately(&self, address: SocketAddr) -> bool {
        self.inner.failed.borrow().get(&address).is_some_and(|at| at.elapsed() < FAILED_FOR)
    }

    fn remember_failure(&self, address: SocketAddr) {
        let mut failed = self.inner.failed.borrow_mut();
        if failed.len() >= FAILED_MAX {
            failed.retain(|_, at| at.elapsed() < FAILED_FOR);
        }
        if failed.len() < FAILED_MAX {
            failed.insert(address, Instant::now());
        }
    }

    fn lease(&self, tenant: TenantId, origin: OriginUrl, address: SocketAddr, stream: OriginStream) -> Lease {
        Lease { pool: Rc::clone(&self.inner), tenant, origin, address, stream, reused: false }
    }
}

/// Whether a connection that carried a request before may be given out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reuse {
    Idle,
    Never,
}

/// A connection for one request and its response. Dropping it closes it; [`Lease::keep`] gives it back.
#[derive(Debug)]
pub struct Lease {
    pool: Rc<Inner>,
    tenant: TenantId,
    origin: OriginUrl,
    address: SocketAddr,
    stream: OriginStream,
    reused: bool,
}

impl Lease {
    /// Whether it carried a request before: then it may have died unnoticed, and a request that got no byte of an answer
    /// may be sent once more over [`Pool::fresh`].
    pub fn reused(&self) -> bool {
        self.reused
    }

    pub fn origin(&self) -> &OriginUrl {
        &self.origin
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the connection back for the tenant's next request. Only when the response was read to its end, and neither
    /// side asked to close.
    pub fn keep(self) {
        let idle = IdleConnection {
            origin: self.origin,
            address: self.address,
            stream: self.stream,
            since: Instant::now(),
        };
        self.pool.idle.borrow_mut().put(self.tenant, idle);
    }
}

impl AsyncRead for Lease {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lease {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
