//! One connection to the control plane: opened, asked, answered.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ClientError, ControlUrl, KEEP};
use crate::config::origin_url::OriginHost;
use crate::secret::Secret;
use crate::tls::Connector;

/// Who asks.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("waf/", env!("CARGO_PKG_VERSION")));

/// What is asked.
pub(super) struct Question<'a> {
    pub method: Method,
    pub path: &'a str,
    /// Content-Type and content.
    pub body: Option<(&'static str, Vec<u8>)>,
    pub token: &'a Secret<String>,
}

/// An open connection.
pub(super) struct Link {
    sender: SendRequest<Full<Bytes>>,
    used: Instant,
}

impl Link {
    pub(super) async fn open(
        url: &ControlUrl,
        connector: Option<&Connector>,
        within: Duration,
    ) -> Result<Self, ClientError> {
        let stream = timeout(within, dial(url))
            .await
            .map_err(|_elapsed| ClientError::ConnectTime { url: url.clone(), within })?
            .map_err(|source| ClientError::Connect { url: url.clone(), source })?;
        let sender = match connector {
            None => shake_hands(TokioIo::new(stream), url).await?,
            Some(connector) => {
                let stream = connector
                    .connect(stream, url.host(), within)
                    .await
                    .map_err(|source| ClientError::Handshake { url: url.clone(), source })?;
                shake_hands(TokioIo::new(stream), url).await?
            }
        };
        Ok(Self { sender, used: Instant::now() })
    }

    pub(super) fn is_fresh(&self) -> bool {
        !self.sender.is_closed() && self.used.elapsed() < KEEP
    }

    /// Status and content of the answer.
    pub(super) async fn ask(
        &mut self,
        url: &ControlUrl,
        question: Question<'_>,
        bytes_max: usize,
    ) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let request = write(url, question)?;
        let exchange = |source| ClientError::Exchange { url: url.clone(), source };
        self.sender.ready().await.map_err(exchange)?;
        let (head, mut body) = self.sender.send_request(request).await.map_err(exchange)?.into_parts();
        let mut content = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(mut data) = frame.map_err(exchange)?.into_data() else { continue };
            if content.len() + data.remaining() > bytes_max {
                return Err(ClientError::AnswerLength { url: url.clone(), max: bytes_max });
            }
            content.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
        self.used = Instant::now();
        Ok((head.status, content))
    }
}

async fn dial(url: &ControlUrl) -> std::io::Result<TcpStream> {
    let stream = match url.host() {
        OriginHost::Address(address) => TcpStream::connect((IpAddr::to_canonical(address), url.port())).await,
        OriginHost::Name(name) => TcpStream::connect((name.as_str(), url.port())).await,
    }?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn shake_hands<S>(stream: TokioIo<S>, url: &ControlUrl) -> Result<SendRequest<Full<Bytes>>, ClientError>
where
    TokioIo<S>: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(stream)
        .await
        .map_err(|source| ClientError::Exchange { url: url.clone(), source })?;
    // What goes wrong with it, the request is told as well.
    tokio::spawn(connection);
    Ok(sender)
}

fn write(url: &ControlUrl, question: Question<'_>) -> Result<Request<Full<Bytes>>, ClientError> {
    let Question { method, path, body, token } = question;
    let fail = |source| ClientError::Path { path: path.to_owned(), source };
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|error| fail(error.into()))?;
    bearer.set_sensitive(true);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, url.authority())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer);
    let content = match body {
        Some((content_type, content)) => {
            request = request.header(CONTENT_TYPE, content_type);
            Bytes::from(content)
        }
        None => Bytes::new(),
    };
    request.body(Full::new(content)).map_err(fail)
}
