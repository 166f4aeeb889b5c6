//! One connection to an origin, lent for one request and its response.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::idle::{IdleConnection, IdleConnections};
use super::stream::OriginStream;
use crate::config::OriginUrl;
use crate::model::TenantId;

/// A connection for one request and its response. Dropping it closes it; [`Lease::keep`] gives it back.
#[derive(Debug)]
pub struct Lease {
    idle: Rc<RefCell<IdleConnections>>,
    tenant: TenantId,
    origin: OriginUrl,
    address: SocketAddr,
    stream: OriginStream,
    reused: bool,
}

impl Lease {
    /// A connection that was just opened.
    pub(super) fn of_new(
        idle: Rc<RefCell<IdleConnections>>,
        tenant: TenantId,
        origin: OriginUrl,
        address: SocketAddr,
        stream: OriginStream,
    ) -> Self {
        Self { idle, tenant, origin, address, stream, reused: false }
    }

    /// A connection that carried requests before.
    pub(super) fn of_idle(
        idle: Rc<RefCell<IdleConnections>>,
        tenant: TenantId,
        IdleConnection { origin, address, stream, .. }: IdleConnection,
    ) -> Self {
        Self { idle, tenant, origin, address, stream, reused: true }
    }

    /// Whether it carried a request before: then it may have died unnoticed, and a request that got no byte of an answer
    /// may be sent once more over [`super::Pool::fresh`].
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
        self.idle.borrow_mut().put(self.tenant, idle);
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
