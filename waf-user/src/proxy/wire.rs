//! Socket bytes <-> heads and body pieces, each wait within a time. Knows no site and no rule.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::limits::{READ_BYTES, WRITE_STALL};
use crate::http::{BodyDecoder, Framing, Violation};

/// Bytes that were read and not used yet. Bounded by its users: a head's or a chunk line's limit is met before it grows.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    buffer: Vec<u8>,
    start: usize,
}

impl Inbound {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.buffer.len());
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
    }

    /// Reads once; 0 is the end. Cancelling loses nothing.
    pub(super) async fn fill(&mut self, io: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.reserve(READ_BYTES);
        io.read_buf(&mut self.buffer).await
    }
}

/// Why a body could not be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("read the body: {}", .0.text())]
    Malformed(Violation),
    #[error("wait for the body")]
    Timeout,
    #[error("read the body")]
    Read(#[source] io::Error),
}

/// A body that is being read.
#[derive(Debug)]
pub(super) struct Body {
    decoder: BodyDecoder,
    idle: Duration,
}

impl Body {
    pub(super) fn new(framing: Framing, idle: Duration) -> Self {
        Self { decoder: BodyDecoder::new(framing), idle }
    }

    pub(super) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Appends the next piece to `out`: about what one read gave. Afterwards the body is done or `out` has grown.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub(super) async fn next(
        &mut self,
        inbound: &mut Inbound,
        io: &mut (impl AsyncRead + Unpin),
        out: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        let before = out.len();
        loop {
            loop {
                let decoded = self.decoder.decode(inbound.bytes()).map_err(BodyError::Malformed)?;
                out.extend_from_slice(decoded.data);
                let consumed = decoded.consumed;
                inbound.consume(consumed);
                if consumed == 0 || self.decoder.is_done() {
                    break;
                }
            }
            if self.decoder.is_done() || out.len() > before {
                return Ok(());
            }
            let read = timeout(self.idle, inbound.fill(io)).await.map_err(|_| BodyError::Timeout)?;
            if read.map_err(BodyError::Read)? == 0 {
                self.decoder.end().map_err(BodyError::Malformed)?;
            }
        }
    }
}

/// Writes all of it; a peer that takes nothing for [`WRITE_STALL`] is given up.
///
/// # Errors
/// The peer is gone or stalls.
pub(super) async fn send(io: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = timeout(WRITE_STALL, io.write(bytes)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    timeout(WRITE_STALL, io.flush()).await.map_err(|_| io::ErrorKind::TimedOut)?
}
