//! A TCP connection -> a ClientHello with its name -> a TLS connection, each step within a time. Whether the name may be
//! served on this address is the caller's question between the two steps.

use std::fmt;
use std::io;
use std::time::Duration;

use rustls::InvalidMessage;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::server::StartHandshake;
use tokio_rustls::{LazyConfigAcceptor, TlsStream as RustlsStream};

use super::{Acceptor, TlsStream};

/// A fatal alert unrecognized_name(112) in the clear (RFC 6066 §3, RFC 8446 §6): no server flight was sent before it, so
/// no keys are agreed yet and every version reads it.
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70];

/// How long a peer that does not read may keep us from sending that alert.
const ALERT_WITHIN: Duration = Duration::from_secs(1);

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("peer closed the connection during the handshake")]
    Closed,
    #[error("peer did not finish its part of the handshake in time")]
    Timeout,
    #[error("peer does not speak TLS")]
    NotTls,
    #[error("client asked for no name, or for one that is not served here")]
    UnrecognizedName,
    #[error("agree on a TLS session")]
    Failed { source: rustls::Error },
    #[error("exchange handshake bytes")]
    Io { source: io::Error },
}

impl HandshakeError {
    /// A word for metrics and events.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::NotTls => "not_tls",
            Self::UnrecognizedName => "unrecognized_name",
            Self::Failed { .. } => "failed",
            Self::Io { .. } => "io",
        }
    }
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => return Self::Closed,
            _ => {}
        }
        match error.downcast::<rustls::Error>() {
            Ok(rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            )) => Self::NotTls,
            Ok(source) => Self::Failed { source },
            Err(source) => Self::Io { source },
        }
    }
}

/// A ClientHello that was read and not yet answered.
pub struct Hello {
    acceptor: Acceptor,
    start: StartHandshake<TcpStream>,
    sni: Option<String>,
}

impl Hello {
    /// The name asked for, lower case. None where the client sent none (an address is no name).
    pub fn sni(&self) -> Option<&str> {
        self.sni.as_deref()
    }

    /// Finishes the handshake with the certificate of the name at this address. A name without one is refused with the
    /// alert unrecognized_name.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub async fn accept(self, within: Duration) -> Result<TlsStream, HandshakeError> {
        let local = self.start.io.local_addr().ok().map(|local| local.ip());
        let config = self.sni().zip(local).and_then(|(name, local)| self.acceptor.config(name, local));
        let Some(config) = config else {
            self.refuse_unrecognized_name().await;
            return Err(HandshakeError::UnrecognizedName);
        };
        match tokio::time::timeout(within, self.start.into_stream(config)).await {
            Err(_elapsed) => Err(HandshakeError::Timeout),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(stream)) => Ok(TlsStream::new(RustlsStream::Server(stream))),
        }
    }

    /// Sends the alert unrecognized_name and closes; learns nobody any certificate. Best effort.
    pub async fn refuse_unrecognized_name(self) {
        let mut stream = self.start.io;
        let send = async {
            stream.write_all(&UNRECOGNIZED_NAME).await?;
            stream.shutdown().await
        };
        // The peer is refused either way: one that is gone or does not read just misses the reason.
        let _refused = tokio::time::timeout(ALERT_WITHIN, send).await;
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").field("sni", &self.sni).finish_non_exhaustive()
    }
}

/// Reads up to the end of the ClientHello. rustls caps a handshake message at 64 KiB, so that is what a hostile peer can
/// make us hold.
pub(super) async fn read_hello(
    acceptor: Acceptor,
    stream: TcpStream,
    within: Duration,
) -> Result<Hello, HandshakeError> {
    let lazy = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let start = tokio::time::timeout(within, lazy).await.map_err(|_elapsed| HandshakeError::Timeout)??;
    let sni = start.client_hello().server_name().map(str::to_ascii_lowercase);
    Ok(Hello { acceptor, start, sni })
}
