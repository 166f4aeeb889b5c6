//! Socket bytes <-> heads and body pieces, each wait within a time. Knows no site and no rule.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use super::limits::{BODY_RATE_GRACE, BODY_RATE_MIN, READ_BYTES, WRITE_STALL};
use super::wait::within;
use crate::http::{BodyDecoder, Framing, Violation};

/// Bytes that were read and not used yet. Bounded by its users: a head's or a chunk line's limit is met before it grows.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    buffer: Vec<u8>,
    start: usize,
}

impl Inbound {
    /// Into a buffer that is lent; see [`Inbound::into_buffer`].
    pub(super) fn within(buffer: Vec<u8>) -> Self {
        Self { buffer, start: 0 }
    }

    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

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
    pace: Pace,
}

/// How fast a body comes, counting only the time in which we waited for it.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// Bytes per second asked for; 0 = any.
    rate_min: u64,
    bytes: u64,
    waited: Duration,
}

impl Pace {
    /// Hot: per read. Whether the sender is too slow, after it kept us waiting for so many bytes.
    fn is_too_slow(&mut self, bytes: usize, waited: Duration) -> bool {
        self.bytes += bytes as u64;
        self.waited += waited;
        self.waited > BODY_RATE_GRACE && self.bytes < self.rate_min * self.waited.as_secs()
    }
}

impl Body {
    /// A request's body.
    pub(super) fn of_request(framing: Framing, idle: Duration) -> Self {
        let pace = Pace { rate_min: BODY_RATE_MIN, ..Pace::default() };
        Self { decoder: BodyDecoder::new(framing), idle, pace }
    }

    /// An answer's body: an origin may be as slow as it likes, if it does not stop.
    pub(super) fn of_response(framing: Framing, idle: Duration) -> Self {
        Self { decoder: BodyDecoder::new(framing), idle, pace: Pace::default() }
    }

    /// Time in which nothing could be done but wait for its sender.
    pub(super) fn waited(&self) -> Duration {
        self.pace.waited
    }

    pub(super) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Appends what of it has been read already: what goes out with the head saves both sides a packet.
    ///
    /// # Errors
    /// It is malformed.
    pub(super) fn decode(&mut self, inbound: &mut Inbound, out: &mut Vec<u8>) -> Result<(), BodyError> {
        loop {
            let decoded = self.decoder.decode(inbound.bytes()).map_err(BodyError::Malformed)?;
            out.extend_from_slice(decoded.data);
            let consumed = decoded.consumed;
            inbound.consume(consumed);
            if consumed == 0 || self.decoder.is_done() {
                return Ok(());
            }
        }
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
            self.decode(inbound, out)?;
            if self.decoder.is_done() || out.len() > before {
                return Ok(());
            }
            let started = Instant::now();
            let read = within(self.idle, inbound.fill(io)).await.map_err(|_| BodyError::Timeout)?;
            let bytes = read.map_err(BodyError::Read)?;
            if bytes == 0 {
                self.decoder.end().map_err(BodyError::Malformed)?;
            } else if self.pace.is_too_slow(bytes, started.elapsed()) {
                return Err(BodyError::Timeout);
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
        let written = within(WRITE_STALL, io.write(bytes)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    within(WRITE_STALL, io.flush()).await.map_err(|_| io::ErrorKind::TimedOut)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_has_a_grace_and_a_floor() {
        // Seconds waited, bytes come; whether that is too slow.
        let rows = [
            (1, 0, false),
            (10, 1, false),
            (11, 11 * 240, false),
            (11, 11 * 240 - 1, true),
            (100, 100 * 240, false),
            (100, 100 * 240 - 1, true),
        ];
        for (seconds, bytes, expected) in rows {
            let waited = Duration::from_secs(seconds);
            let mut client = Pace { rate_min: BODY_RATE_MIN, ..Pace::default() };
            assert_eq!(client.is_too_slow(bytes, waited), expected, "{bytes} bytes in {seconds} s");
            assert!(!Pace::default().is_too_slow(bytes, waited), "an origin may be slow");
        }
    }
}
