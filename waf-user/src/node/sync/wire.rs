//! A TLS connection to control that remembers why the other side ended it: HTTP/2 above keeps an error's text alone, and
//! in TLS 1.3 a node hears of its refused certificate with its first read.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::tls::{TlsStream, explain};

/// A sentence for the operator, once there is one.
pub type Why = Rc<Cell<Option<&'static str>>>;

/// Bytes in and out, unchanged.
pub struct Wire {
    inner: TlsStream,
    why: Why,
}

impl Wire {
    pub fn new(inner: TlsStream) -> (Self, Why) {
        let why = Why::default();
        (Self { inner, why: Rc::clone(&why) }, why)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &read {
            self.why.set(explain(error).or(self.why.get()));
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
