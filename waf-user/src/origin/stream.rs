//! One connection to an origin, plain or TLS, and whether it is still good.

use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::tls::TlsStream;

/// One connection to an origin.
#[derive(Debug)]
pub enum OriginStream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl OriginStream {
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.tcp(),
        }
    }

    /// Whether an idle connection can carry another request: nothing may wait in it. An end or an error means that the
    /// origin closed it; bytes are an answer to no request of ours (a response-splitting or 408 leftover), which must
    /// never be read as the answer to the next one.
    pub fn is_quiet(&mut self, look: Look) -> bool {
        if look == Look::Noticed && self.is_unnoticed() {
            return true;
        }
        let waiting = self.waiting();
        match self {
            Self::Plain(_) => waiting == Waiting::Nothing,
            // TLS 1.3 sends session tickets after the handshake: the record layer eats them and stays pending.
            Self::Tls(stream) if waiting != Waiting::End => {
                let mut byte = [0];
                let mut buf = ReadBuf::new(&mut byte);
                let pending = Pin::new(stream)
                    .poll_read(&mut Context::from_waker(Waker::noop()), &mut buf)
                    .is_pending();
                // What still waits, tokio has not noticed yet: rather lose a connection than take a closing one.
                pending && self.waiting() == Waiting::Nothing
            }
            Self::Tls(_) => false,
        }
    }

    /// Whether the event loop had nothing to tell by its last turn: no system call then.
    fn is_unnoticed(&self) -> bool {
        let mut noticed = false;
        // Runs what it is given only where something was noticed; `WouldBlock` makes it forget that.
        let _looked = self.tcp().try_io(Interest::READABLE, || {
            noticed = true;
            if self.waiting() == Waiting::Nothing { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        !noticed
    }

    /// Asks the socket itself: tokio learns of a FIN only at its next turn.
    fn waiting(&self) -> Waiting {
        match recv(self.tcp().as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN) => Waiting::Nothing,
            Ok(0) | Err(_) => Waiting::End,
            Ok(_) => Waiting::Bytes,
        }
    }
}

/// How sure one wants to be of an idle connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// By the event loop's last turn, at most a millisecond or so ago: for a request that can be sent again.
    Noticed,
    /// By this moment, for a system call.
    Now,
}

/// What a read would find.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Nothing,
    Bytes,
    /// A FIN, or an error.
    End,
}

impl AsyncRead for OriginStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for OriginStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
