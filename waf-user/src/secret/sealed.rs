//! A sealed value as bytes in the store and as text in an export: which key sealed it, its nonce, the ciphertext. Knows no
//! key.
//!
//! ```text
//! "WAFs" 1  key id (8)  nonce (12)  ciphertext, tag (16)
//! ```

use std::fmt;
use std::str::FromStr;

use super::{KeyId, SecretError, hex};

/// Bytes of a key's name.
pub const ID_LEN: usize = 8;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// What no JSON, TOML or PEM begins with, and the version of the layout.
const MAGIC: &[u8] = b"WAFs\x01";
const HEAD_LEN: usize = MAGIC.len() + ID_LEN + NONCE_LEN;
/// Before the digits, in an export.
pub const TEXT: &str = "sealed:";

/// A secret that only its key ring opens, and only under its key of the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

/// The three things in it.
pub struct Parts<'a> {
    pub id: KeyId,
    pub nonce: &'a [u8],
    pub ciphertext: &'a [u8],
}

impl Sealed {
    /// None where the bytes are not a sealed value.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.starts_with(MAGIC) && bytes.len() >= HEAD_LEN + TAG_LEN).then(|| Self(bytes.to_vec()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The key that sealed it.
    pub fn key_id(&self) -> KeyId {
        self.parts().id
    }

    pub(super) fn join(id: KeyId, nonce: &[u8], ciphertext: &[u8]) -> Self {
        Self([MAGIC, &id.0, nonce, ciphertext].concat())
    }

    pub(super) fn parts(&self) -> Parts<'_> {
        let rest = self.0.get(MAGIC.len()..).unwrap_or_default();
        let (id, rest) = rest.split_first_chunk::<ID_LEN>().unwrap_or((&[0; ID_LEN], &[]));
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).unwrap_or_default();
        Parts { id: KeyId(*id), nonce, ciphertext }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(sealed with {})", self.key_id())
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TEXT}{}", hex::encode(&self.0))
    }
}

impl FromStr for Sealed {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let bytes = text.strip_prefix(TEXT).and_then(hex::decode);
        bytes.and_then(|bytes| Self::from_bytes(&bytes)).ok_or(SecretError::Text)
    }
}
