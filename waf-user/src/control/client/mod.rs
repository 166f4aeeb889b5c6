//! A request of the command line -> an answer of `waf control`, over HTTP/1.1 on TCP or TLS. What is asked is not known here.

mod address;
mod error;
mod request;
mod token;

pub use address::ControlUrl;
pub use error::{ClientError, Refused};
pub use token::read_token;

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::secret::Secret;
use crate::tls::Connector;

use request::{Link, Question};

/// How long a connection may take: the other side of the world, once with a lost packet.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an idle connection is used again: less than any server keeps it, so that none closes as we ask.
const KEEP: Duration = Duration::from_secs(2);
/// How long an answer may take: an apply of thousands of sites, or an import into an empty store.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Bytes of an answer: an export of a hundred thousand environments.
pub const ANSWER_BYTES_MAX: usize = 512 * 1024 * 1024;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect_within: Duration,
    pub answer_within: Duration,
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_within: CONNECT_WITHIN,
            answer_within: ANSWER_WITHIN,
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }
}

/// One control plane, with the token to ask it. Blocks its caller; keeps its connection from one request to the next.
pub struct Client {
    url: ControlUrl,
    connector: Option<Connector>,
    token: Secret<String>,
    limits: Limits,
    runtime: Runtime,
    link: Option<Link>,
}

impl Client {
    /// `ca_pem`: the roots to trust; None: those that browsers trust.
    ///
    /// # Errors
    /// No usable certificate in `ca_pem`, or no runtime.
    pub fn new(
        url: ControlUrl,
        ca_pem: Option<&[u8]>,
        token: Secret<String>,
        limits: Limits,
    ) -> Result<Self, ClientError> {
        let connector = match (url.is_tls(), ca_pem) {
            (false, _) => None,
            (true, Some(pem)) => Some(Connector::with_roots(pem)),
            (true, None) => Some(Connector::new()),
        };
        let connector = connector.transpose().map_err(|source| ClientError::Roots { source })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| ClientError::Runtime { source })?;
        Ok(Self { url, connector, token, limits, runtime, link: None })
    }

    pub fn url(&self) -> &ControlUrl {
        &self.url
    }

    /// GET; the answer from JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        let answer = self.exchange(Method::GET, path, None)?;
        self.parse(path, &answer)
    }

    /// GET; the answer as it is.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn get_text(&mut self, path: &str) -> Result<String, ClientError> {
        let answer = self.exchange(Method::GET, path, None)?;
        String::from_utf8(answer)
            .map_err(|_| ClientError::Answer { path: path.to_owned(), source: "it is not UTF-8".into() })
    }

    /// Any method with a JSON body; the answer from JSON. `()` where there is none.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn send<B: Serialize + ?Sized, T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body)
            .map_err(|source| ClientError::Question { path: path.to_owned(), source })?;
        let answer = self.exchange(method, path, Some(("application/json", body)))?;
        self.parse(path, &answer)
    }

    /// Any method with a text as its body; the answer from JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn send_text<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: String,
    ) -> Result<T, ClientError> {
        let answer = self.exchange(method, path, Some((content_type, body.into_bytes())))?;
        self.parse(path, &answer)
    }

    /// Any method without a body; the answer from JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn call<T: DeserializeOwned>(&mut self, method: Method, path: &str) -> Result<T, ClientError> {
        let answer = self.exchange(method, path, None)?;
        self.parse(path, &answer)
    }

    /// An empty answer (204) reads as `null`.
    fn parse<T: DeserializeOwned>(&self, path: &str, answer: &[u8]) -> Result<T, ClientError> {
        let answer = if answer.is_empty() { b"null" } else { answer };
        serde_json::from_slice(answer)
            .map_err(|source| ClientError::Answer { path: path.to_owned(), source: source.into() })
    }

    /// The bytes of a good answer. Nothing is asked twice: an apply may have been heard though its answer was not.
    fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Vec<u8>, ClientError> {
        let Self { url, connector, token, limits, runtime, link } = self;
        let kept = link.take();
        let (status, answer, after) = runtime.block_on(async {
            let mut open = match kept {
                Some(link) if link.is_fresh() => link,
                _ => Link::open(url, connector.as_ref(), limits.connect_within).await?,
            };
            let question = Question { method, path, body, token };
            let ask = open.ask(url, question, limits.answer_bytes_max);
            let (status, answer) = timeout(limits.answer_within, ask).await.map_err(|_elapsed| {
                ClientError::AnswerTime { url: url.clone(), within: limits.answer_within }
            })??;
            Ok::<_, ClientError>((status, answer, open))
        })?;
        *link = Some(after);
        if status.is_success() {
            return Ok(answer);
        }
        Err(refusal(status, &answer, path))
    }
}

fn refusal(status: StatusCode, answer: &[u8], path: &str) -> ClientError {
    let problem = serde_json::from_slice(answer).ok();
    ClientError::Refused(Box::new(Refused { status: status.as_u16(), path: path.to_owned(), problem }))
}

#[cfg(test)]
mod tests;
