//! Why the authority does not issue, sign or revoke; the sentences of refused nodes are written for their operators.

use super::issue::CERTIFICATES_OF_NODE_MAX;
use crate::control::audit::aside::AsideError;
use crate::control::store::StoreError;
use crate::model::NodeName;
use crate::secret::SecretError;

/// What was asked of the authority and why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("this token was used already: make another with waf fleet token")]
    Used,
    #[error(
        "there is no such token: it has ended, or is of another control plane; make one with waf fleet token"
    )]
    NoToken,
    #[error("this token is for node {0}, and for no other")]
    OtherNode(String),
    #[error("a join token has the form SECRET.AUTHORITY, as waf fleet token printed it")]
    TokenForm,
    #[error("read the certificate request")]
    Request(#[source] rcgen::Error),
    #[error("the certificate of node {0} is revoked: join again with a new token")]
    Revoked(NodeName),
    #[error(
        "node {0} has {CERTIFICATES_OF_NODE_MAX} certificates already: waf fleet revoke {0}, then join again"
    )]
    TooMany(NodeName),
    #[error("the store holds no usable {0}: restore it from a backup")]
    Missing(&'static str),
    #[error("the system gives no random bytes")]
    Random,
    #[error("make a certificate")]
    Make(#[from] rcgen::Error),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("change what nodes may join or speak with")]
    Token(#[from] AsideError),
}

impl AuthorityError {
    /// Whether the other side is at fault: it is told the sentence. Otherwise it is we.
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Used
                | Self::NoToken
                | Self::OtherNode(_)
                | Self::TokenForm
                | Self::Request(_)
                | Self::Revoked(_)
                | Self::TooMany(_)
        )
    }
}
