//! Who may speak to the API: tokens of 256 random bits, of which the store has the SHA-256 only. A token is an operator's or
//! one customer's, may expire, and can be revoked. What its owner may do is not decided here.
//!
//! `token/<sha-256>` holds a [`Token`] as JSON. Its id is the beginning of that hash, which gives nothing of it away.

mod book;

mod error;

pub use book::TokenBook;
pub use error::TokenError;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::environment::Customer;
use crate::model::Wall;
use crate::secret::{Secret, hex};

/// What every token begins with, so that scanners of leaked secrets can know it.
const BEGINNING: &str = "waf_";
/// Bytes of randomness.
const RANDOM_LEN: usize = 32;
/// Digits of an id: 2^64 of them, for at most [`TOKENS_MAX`].
const ID_LEN: usize = 16;
/// Tokens of one control plane: they are listed whole.
pub const TOKENS_MAX: usize = 10_000;
/// Characters of a note.
pub const NOTE_LEN_MAX: usize = 200;

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Operator,
    Customer(Customer),
}

/// What is known of a token, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    pub role: Role,
    /// Who has it, as whoever made it says.
    pub note: String,
    pub made: Wall,
    /// None: good until it is revoked.
    pub expires: Option<Wall>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub role: Role,
    pub note: &'a str,
    /// None: good until it is revoked.
    pub expires: Option<Wall>,
}

/// Name of a token: the first digits of its hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(String);

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token's text, as its owner has it. Neither printed nor stored.
pub struct TokenText(Secret<String>);

impl TokenText {
    /// Draws one.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; RANDOM_LEN];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| TokenError::Random)?;
        Ok(Self(Secret::new(format!("{BEGINNING}{}", hex::encode(&bytes)))))
    }

    /// None where the text has not a token's shape.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(BEGINNING)?;
        let shaped = digits.len() == 2 * RANDOM_LEN && hex::decode(digits).is_some();
        shaped.then(|| Self(Secret::new(text.to_owned())))
    }

    /// For whoever is to have it.
    pub fn reveal(&self) -> &str {
        self.0.expose()
    }

    /// Its SHA-256 in hexadecimal digits: as it is looked up by its hash, no comparison tells how near a guess came.
    fn hash(&self) -> String {
        hex::encode(
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.0.expose().as_bytes()).as_ref(),
        )
    }
}

/// As it lies in the store.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// None: an operator's.
    customer: Option<String>,
    note: String,
    made_ms: u64,
    expires_ms: Option<u64>,
}

#[cfg(test)]
mod tests;
