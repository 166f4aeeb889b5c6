//! A TLS connection to control -> HTTP/2 requests on it, and whether the other side is still there. Which words are spoken
//! is not known here.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Ping, PingPong, RecvStream, SendStream};
use http::Request;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::wire::{Why, Wire};
use crate::config::OriginHost;
use crate::model::Mono;
use crate::model::sync::{CALL_BYTES_MAX, CONTROL_NAME, Refusal};
use crate::tls::{HandshakeError, MutualConnector, explain};

/// A control process in another region answers within a part of it.
pub const WITHIN: Duration = Duration::from_secs(5);
/// One address of several that `url` may name: the next one is tried while a node still has not been without control for
/// long.
const ADDRESS_WITHIN: Duration = Duration::from_secs(2);
/// Control processes behind one name.
const ADDRESSES_MAX: usize = 8;
/// A control process that is cut off by the network is noticed within this and [`PONG_WITHIN`].
pub const PING_EVERY: Duration = Duration::from_secs(3);
pub const PONG_WITHIN: Duration = Duration::from_secs(5);
/// Bytes under way to us: a document of 10,000 tenants in a few round trips.
const WINDOW: u32 = 4 * 1024 * 1024;

/// Why control was not reached, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("look up control's name {0}")]
    LookUp(String, #[source] io::Error),
    #[error("control's name {0} has no address")]
    NoAddress(String),
    #[error("connect to control at {0}")]
    Connect(SocketAddr, #[source] io::Error),
    #[error("no answer from control within {} s", WITHIN.as_secs())]
    Late,
    #[error("control has not answered a ping for {} s", PONG_WITHIN.as_secs())]
    Silent,
    #[error("TLS with control")]
    Tls(#[source] HandshakeError),
    #[error("{0}")]
    Explained(&'static str),
    #[error("speak HTTP/2 with control")]
    Http(#[from] h2::Error),
    #[error("make a request")]
    Request(#[from] http::Error),
    #[error("control refuses ({status}): {error}")]
    Refused { status: u16, error: String },
    #[error("control says more than {CALL_BYTES_MAX} bytes")]
    Long,
}

/// One connection; it ends with this.
pub struct Line {
    send: SendRequest<Bytes>,
    pings: RefCell<Option<PingPong>>,
    why: Why,
    task: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// Call within a `LocalSet`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn open(connector: &MutualConnector, host: &OriginHost, port: u16) -> Result<Self, CallError> {
        let tcp = dial(host, port).await?;
        let _ = tcp.set_nodelay(true);
        let tls = connector.connect(tcp, CONTROL_NAME, WITHIN).await.map_err(explained)?;
        let (wire, why) = Wire::new(tls);
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (send, mut connection) = builder.handshake(wire).await?;
        let pings = RefCell::new(connection.ping_pong());
        let task = tokio::task::spawn_local(async move {
            // The streams tell of the same error.
            let _ = connection.await;
        });
        Ok(Self { send, pings, why, task })
    }

    /// Begins a `POST` whose body follows.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn post(&self, path: &str) -> Result<(ResponseFuture, SendStream<Bytes>), CallError> {
        let request = Request::post(format!("https://{CONTROL_NAME}{path}")).body(())?;
        let mut ready = self.send.clone().ready().await?;
        Ok(ready.send_request(request, false)?)
    }

    /// One request and its whole answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ask(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let asked = async {
            let (response, mut up) = self.post(path).await?;
            // A refusal may come before all is sent.
            let sent = send(&mut up, body.into(), true).await;
            let mut answer = accepted(response).await?;
            sent?;
            whole(&mut answer).await
        };
        let answer = timeout(WITHIN, asked).await.map_err(|_late| CallError::Late)?;
        answer.map_err(|error| self.explain(error))
    }

    /// The error, or why there was one.
    pub fn explain(&self, error: CallError) -> CallError {
        match (error, self.why.get()) {
            (CallError::Http(_), Some(why)) => CallError::Explained(why),
            (error, _) => error,
        }
    }

    /// Ends when the other side no longer answers. May be waited for once.
    pub async fn silence(&self) -> CallError {
        self.silence_within(PING_EVERY, PONG_WITHIN).await
    }

    pub(super) async fn silence_within(&self, every: Duration, within: Duration) -> CallError {
        let Some(mut pings) = self.pings.take() else { return CallError::Silent };
        loop {
            sleep(every).await;
            match timeout(within, pings.ping(Ping::opaque())).await {
                Err(_late) => return CallError::Silent,
                Ok(Err(error)) => return self.explain(error.into()),
                Ok(Ok(_pong)) => {}
            }
        }
    }
}

/// Whichever of its addresses answers first in turn, beginning with any: nodes spread over control processes.
async fn dial(host: &OriginHost, port: u16) -> Result<TcpStream, CallError> {
    let host = match host {
        OriginHost::Address(address) => address.to_string(),
        OriginHost::Name(name) => name.to_string(),
    };
    let found = timeout(WITHIN, lookup_host((host.as_str(), port))).await.map_err(|_late| CallError::Late)?;
    let found = found.map_err(|error| CallError::LookUp(host.clone(), error))?;
    let mut addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
    let first = RandomState::new().hash_one(Mono::now().0) as usize % addresses.len().max(1);
    addresses.rotate_left(first);
    let mut failed = CallError::NoAddress(host);
    for address in addresses {
        failed = match timeout(ADDRESS_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => CallError::Connect(address, error),
            Err(_late) => CallError::Connect(address, io::ErrorKind::TimedOut.into()),
        };
    }
    Err(failed)
}

fn explained(error: HandshakeError) -> CallError {
    match error {
        HandshakeError::Failed { source } => {
            let why = explain(&io::Error::other(source.clone()));
            why.map_or(CallError::Tls(HandshakeError::Failed { source }), CallError::Explained)
        }
        error => CallError::Tls(error),
    }
}

/// The body of an answer that is a success.
///
/// # Errors
/// It is none; then with control's sentence.
pub async fn accepted(response: ResponseFuture) -> Result<RecvStream, CallError> {
    let (head, mut body) = response.await?.into_parts();
    if head.status.is_success() {
        return Ok(body);
    }
    let said = whole(&mut body).await.unwrap_or_default();
    let error = serde_json::from_slice(&said).map_or_else(|_| String::new(), |it: Refusal| it.error);
    Err(CallError::Refused { status: head.status.as_u16(), error })
}

/// The next bytes; none at the end.
///
/// # Errors
/// The connection is gone.
pub async fn next(body: &mut RecvStream) -> Result<Option<Bytes>, CallError> {
    let Some(bytes) = body.data().await.transpose()? else { return Ok(None) };
    body.flow_control().release_capacity(bytes.len())?;
    Ok(Some(bytes))
}

async fn whole(body: &mut RecvStream) -> Result<Vec<u8>, CallError> {
    let mut all = Vec::new();
    while let Some(bytes) = next(body).await? {
        all.extend_from_slice(&bytes);
        if all.len() > CALL_BYTES_MAX {
            return Err(CallError::Long);
        }
    }
    Ok(all)
}

/// Sends bytes as the other side takes them.
///
/// # Errors
/// The connection is gone.
pub async fn send(up: &mut SendStream<Bytes>, mut bytes: Bytes, is_last: bool) -> Result<(), CallError> {
    while !bytes.is_empty() {
        up.reserve_capacity(bytes.len());
        let granted = std::future::poll_fn(|cx| up.poll_capacity(cx)).await.transpose()?;
        // The other side has ended the stream: its answer says why.
        let Some(granted) = granted else { return Err(h2::Error::from(h2::Reason::CANCEL).into()) };
        let part = bytes.split_to(granted.min(bytes.len()));
        let at_end = is_last && bytes.is_empty();
        up.send_data(part, at_end)?;
    }
    Ok(())
}
