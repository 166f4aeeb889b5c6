//! Why the listener ends, and why a node is refused: the latter is a sentence for the node's operator.

use std::error::Error;
use std::fmt;

use http::StatusCode;

use crate::control::authority::AuthorityError;
use crate::control::store::StoreError;
use crate::model::chain;
use crate::tls::TlsError;

/// What was being done for the listener.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("make a certificate for the listener towards nodes")]
    Authority(#[from] AuthorityError),
    #[error("set up TLS towards nodes")]
    Tls(#[from] TlsError),
    #[error("follow which certificates are revoked")]
    Store(#[from] StoreError),
}

/// What the other side is told in place of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub status: StatusCode,
    pub sentence: String,
}

impl Refused {
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }

    /// We are at fault, and our log says why.
    pub fn ours(what: &'static str, error: &dyn Error) -> Self {
        tracing::error!(error = chain(error), what, "a node is refused, through no fault of its own");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("control cannot {what} now: its log says why"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
