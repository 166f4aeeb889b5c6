//! Why a token is not made, found or revoked.

use super::super::audit::aside::AsideError;
use super::super::store::StoreError;
use super::{NOTE_LEN_MAX, TOKENS_MAX, TokenId};
use crate::model::IdentityError;

/// What was being done with which token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("draw random bytes for a token")]
    Random,
    #[error("the note has {0} characters, {NOTE_LEN_MAX} are the most")]
    Note(usize),
    #[error("there are {TOKENS_MAX} tokens already: revoke some")]
    TooMany,
    #[error("there is no token {0}")]
    Unknown(TokenId),
    #[error("read token entry {key}")]
    Entry { key: String, source: serde_json::Error },
    #[error("token entry {key} names no customer")]
    Customer { key: String, source: IdentityError },
    #[error("write token")]
    Encode(#[source] serde_json::Error),
    #[error("the customer was changed or removed meanwhile")]
    Changed,
    #[error("keep tokens")]
    Store(#[from] StoreError),
    #[error("change tokens")]
    Change(#[from] AsideError),
}
