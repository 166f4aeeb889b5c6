//! Tokens in the store: made, found by their text, listed, revoked. Every question asks the store, so that a revoked token
//! is refused at once by every control process.

use std::sync::Arc;

use super::{ID_LEN, NOTE_LEN_MAX, Record, Role, TOKENS_MAX, Token, TokenError, TokenId, TokenText, Wanted};
use crate::control::audit::aside::{self, AsideError};
use crate::control::audit::difference::difference;
use crate::control::audit::record::{Actor, AuditChange};
use crate::control::environment::Customer;
use crate::control::store::{Entry, Guard, Key, Operation, Prefix, Store};
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

    /// Makes a token if every guard holds, with an entry of the audit log. Its text is told here and never again.
    ///
    /// # Errors
    /// A note that is too long, too many tokens, [`TokenError::Changed`] where a guard does not hold; the store's.
    pub async fn make(
        &self,
        wanted: Wanted<'_>,
        guards: &[Guard],
        by: (&Actor, Wall),
    ) -> Result<(TokenText, Token), TokenError> {
        let text = TokenText::random()?;
        let token = self.put(&text, wanted, guards, by).await?;
        Ok((text, token))
    }

    /// As [`Self::make`], with a text that whoever is to have it has already.
    pub(in crate::control) async fn put(
        &self,
        text: &TokenText,
        Wanted { role, note, expires }: Wanted<'_>,
        guards: &[Guard],
        (actor, now): (&Actor, Wall),
    ) -> Result<Token, TokenError> {
        let note_len = note.chars().count();
        if note_len > NOTE_LEN_MAX {
            return Err(TokenError::Note(note_len));
        }
        if self.store.list(&prefix()?).await?.entries.len() >= TOKENS_MAX {
            return Err(TokenError::TooMany);
        }
        let key = prefix()?.key(text.hash())?;
        let customer = match &role {
            Role::Operator => None,
            Role::Customer(customer) => Some(customer.to_string()),
        };
        let expires_ms = expires.map(|expires| expires.0);
        let record = Record { customer, note: note.to_owned(), made_ms: now.0, expires_ms };
        let token = Token { id: id_of(&key), role, note: note.to_owned(), made: now, expires };
        let value = serde_json::to_vec(&record).map_err(TokenError::Encode)?;
        let mut all = guards.to_vec();
        all.push(Guard::Absent(key.clone()));
        let change = change(&token.id, None, Some(&record))?;
        match aside::write(&*self.store, &all, &[Operation::put(&key, value)], vec![change], (actor, now))
            .await
        {
            Ok(_) => Ok(token),
            Err(AsideError::Store(error)) if error.is_conflict() => Err(TokenError::Changed),
            Err(error) => Err(error.into()),
        }
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

    /// Ends a token at once, with an entry of the audit log.
    ///
    /// # Errors
    /// [`TokenError::Unknown`], and as [`Self::find`].
    pub async fn revoke(&self, id: &str, by: (&Actor, Wall)) -> Result<Token, TokenError> {
        let unknown = || TokenError::Unknown(TokenId(id.chars().take(ID_LEN).collect()));
        let listing = self.store.list(&prefix()?).await?;
        let entry = listing.entries.iter().find(|entry| id_of(&entry.key).0 == id).ok_or_else(unknown)?;
        self.end(entry, by).await?.ok_or_else(unknown)
    }

    /// Ends all tokens of one customer; how many there were.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub async fn revoke_all(
        &self,
        customer: &Customer,
        actor: &Actor,
        now: Wall,
    ) -> Result<usize, TokenError> {
        let (role, mut ended) = (Role::Customer(customer.clone()), 0);
        for entry in self.store.list(&prefix()?).await?.entries {
            if read(&entry)?.role == role {
                ended += usize::from(self.end(&entry, (actor, now)).await?.is_some());
            }
        }
        Ok(ended)
    }

    /// None: somebody else was first. Tokens are never changed.
    async fn end(&self, entry: &Entry, by: (&Actor, Wall)) -> Result<Option<Token>, TokenError> {
        let token = read(entry)?;
        let guard = Guard::unchanged(&entry.key, Some(entry));
        let delete = Operation::Delete(entry.key.clone());
        let change = change(&token.id, Some(&record(entry)?), None)?;
        match aside::write(&*self.store, &[guard], &[delete], vec![change], by).await {
            Ok(_) => Ok(Some(token)),
            Err(AsideError::Store(error)) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the audit log tells: neither text nor hash is in a record.
fn change(id: &TokenId, before: Option<&Record>, after: Option<&Record>) -> Result<AuditChange, TokenError> {
    let value = |record: Option<&Record>| record.map(serde_json::to_value).transpose();
    let both = value(before).and_then(|before| Ok((before, value(after)?)));
    let (was, is) = both.map_err(TokenError::Encode)?;
    Ok(AuditChange {
        subject: format!("token {id}"),
        action: if after.is_some() { "make" } else { "revoke" }.to_owned(),
        customer: before.or(after).and_then(|record| record.customer.clone()),
        reasons: Vec::new(),
        differences: difference(&was.unwrap_or_default(), &is.unwrap_or_default()),
    })
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
    let record = record(entry)?;
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

fn record(entry: &Entry) -> Result<Record, TokenError> {
    let key = || entry.key.to_string();
    serde_json::from_slice(&entry.value).map_err(|source| TokenError::Entry { key: key(), source })
}
