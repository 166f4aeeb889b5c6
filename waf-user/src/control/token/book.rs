//! Tokens in the store: made, found by their text, listed, revoked. Every question asks the store, so that a revoked token
//! is refused at once by every control process.

use std::sync::Arc;

use super::{ID_LEN, NOTE_LEN_MAX, Record, Role, TOKENS_MAX, Token, TokenError, TokenId, TokenText};
use crate::control::environment::Customer;
use crate::control::store::{Entry, Guard, Key, Operation, Prefix, Store, Transaction};
use crate::model::Wall;

const PREFIX: &str = "token/";

/// All tokens of a control plane.
#[derive(Clone)]
pub struct TokenBook {
    store: Arc<dyn Store>,
}

impl TokenBook {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Makes a token. Its text is told here and never again.
    ///
    /// # Errors
    /// A note that is too long, too many tokens, or the store's.
    pub async fn make(
        &self,
        role: Role,
        note: &str,
        expires: Option<Wall>,
        now: Wall,
    ) -> Result<(TokenText, Token), TokenError> {
        let note_len = note.chars().count();
        if note_len > NOTE_LEN_MAX {
            return Err(TokenError::Note(note_len));
        }
        if self.store.list(&prefix()?).await?.entries.len() >= TOKENS_MAX {
            return Err(TokenError::TooMany);
        }
        let text = TokenText::random()?;
        let key = prefix()?.key(text.hash())?;
        let customer = match &role {
            Role::Operator => None,
            Role::Customer(customer) => Some(customer.to_string()),
        };
        let expires_ms = expires.map(|expires| expires.0);
        let record = Record { customer, note: note.to_owned(), made_ms: now.0, expires_ms };
        let value = serde_json::to_vec(&record).map_err(TokenError::Encode)?;
        let put = Operation::put(&key, value);
        self.store.commit(Transaction::new(vec![Guard::Absent(key.clone())], vec![put])?).await?;
        Ok((text, Token { id: id_of(&key), role, note: note.to_owned(), made: now, expires }))
    }

    /// The token with this text, if there is one and it is good now.
    ///
    /// # Errors
    /// The store's, and an entry that no `waf` wrote.
    pub async fn find(&self, text: &TokenText, now: Wall) -> Result<Option<Token>, TokenError> {
        let Some(entry) = self.store.get(&prefix()?.key(text.hash())?).await? else { return Ok(None) };
        let token = read(&entry)?;
        Ok(Some(token).filter(|token| token.expires.is_none_or(|expires| expires > now)))
    }

    /// All of them, those that have expired too, in the order of their ids.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub async fn list(&self) -> Result<Vec<Token>, TokenError> {
        self.store.list(&prefix()?).await?.entries.iter().map(read).collect()
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// [`TokenError::Unknown`], and as [`Self::find`].
    pub async fn revoke(&self, id: &str) -> Result<Token, TokenError> {
        let unknown = || TokenError::Unknown(TokenId(id.chars().take(ID_LEN).collect()));
        let listing = self.store.list(&prefix()?).await?;
        let entry = listing.entries.iter().find(|entry| id_of(&entry.key).0 == id).ok_or_else(unknown)?;
        let token = read(entry)?;
        let guard = Guard::unchanged(&entry.key, Some(entry));
        let delete = Operation::Delete(entry.key.clone());
        match self.store.commit(Transaction::new(vec![guard], vec![delete])?).await {
            Ok(_) => Ok(token),
            // Tokens are never changed: somebody else has revoked it.
            Err(error) if error.is_conflict() => Err(unknown()),
            Err(error) => Err(error.into()),
        }
    }
}

fn prefix() -> Result<Prefix, TokenError> {
    Ok(Prefix::new(PREFIX)?)
}

fn id_of(key: &Key) -> TokenId {
    let hash = key.as_str().strip_prefix(PREFIX).unwrap_or_default();
    TokenId(hash.chars().take(ID_LEN).collect())
}

fn read(entry: &Entry) -> Result<Token, TokenError> {
    let key = || entry.key.to_string();
    let record: Record =
        serde_json::from_slice(&entry.value).map_err(|source| TokenError::Entry { key: key(), source })?;
    let customer = record.customer.as_deref().map(Customer::new).transpose();
    let customer = customer.map_err(|source| TokenError::Customer { key: key(), source })?;
    Ok(Token {
        id: id_of(&entry.key),
        role: customer.map_or(Role::Operator, Role::Customer),
        note: record.note,
        made: Wall(record.made_ms),
        expires: record.expires_ms.map(Wall),
    })
}
