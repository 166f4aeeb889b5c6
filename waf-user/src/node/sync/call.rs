//! A TLS connection to control -> an HTTP/2 request with its body in pieces. Which words are spoken is not known here.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::Request;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::config::OriginHost;
use crate::model::sync::{CALL_BYTES_MAX, CONTROL_NAME, Refusal};
use crate::tls::HandshakeError;
use crate::tls::fleet::FleetConnector;

/// A control process in another region answers within a part of it.
pub const WITHIN: Duration = Duration::from_secs(5);
/// Bytes under way to us: a document of 10,000 tenants in a few round trips.
const WINDOW: u32 = 4 * 1024 * 1024;

/// Why control was not reached, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("connect to control")]
    Connect(#[source] io::Error),
    #[error("no answer from control within {} s", WITHIN.as_secs())]
    Late,
    #[error(
        "TLS with control (is its certificate of the authority that this node joined, and ours neither expired nor revoked?)"
    )]
    Tls(#[source] HandshakeError),
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
    pub async fn open(connector: &FleetConnector, host: &OriginHost, port: u16) -> Result<Self, CallError> {
        let host = match host {
            OriginHost::Address(address) => address.to_string(),
            OriginHost::Name(name) => name.to_string(),
        };
        let tcp = tokio::time::timeout(WITHIN, TcpStream::connect((host.as_str(), port))).await;
        let tcp = tcp.map_err(|_late| CallError::Late)?.map_err(CallError::Connect)?;
        let _ = tcp.set_nodelay(true);
        let tls = connector.connect(tcp, WITHIN).await.map_err(CallError::Tls)?;
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (send, connection) = builder.handshake(tls).await?;
        let task = tokio::task::spawn_local(async move {
            // The streams tell of the same error.
            let _ = connection.await;
        });
        Ok(Self { send, task })
    }

    /// Begins a `POST` whose body follows.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn post(&mut self, path: &str) -> Result<(ResponseFuture, SendStream<Bytes>), CallError> {
        let request = Request::post(format!("https://{CONTROL_NAME}{path}")).body(())?;
        let mut ready = self.send.clone().ready().await?;
        Ok(ready.send_request(request, false)?)
    }

    /// One request and its whole answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ask(&mut self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let asked = async {
            let (response, mut up) = self.post(path).await?;
            send(&mut up, body.into(), true).await?;
            whole(&mut accepted(response).await?).await
        };
        tokio::time::timeout(WITHIN, asked).await.map_err(|_late| CallError::Late)?
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
        let part = bytes.split_to(granted.unwrap_or(0).min(bytes.len()));
        let at_end = is_last && bytes.is_empty();
        up.send_data(part, at_end)?;
    }
    Ok(())
}
