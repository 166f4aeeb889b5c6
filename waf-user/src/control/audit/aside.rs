//! Changes that are none of the ledger's (tokens, bans made by people) -> entries of the audit log, each in the transaction
//! that makes the change, numbered one after the other. No plan becomes stale by them.

use serde::{Deserialize, Serialize};

use super::record::{Actor, AuditChange, AuditEntry};
use crate::control::store::{Entry, Guard, Key, Operation, Revision, Store, StoreError, Transaction};
use crate::model::Wall;

/// Others may write an entry of theirs at the same moment, and then it is tried again with the next number.
const TRIES_MAX: usize = 1_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AsideDocument {
    /// Milliseconds since 1970.
    at: u64,
    actor: String,
    changes: Vec<AuditChange>,
}

/// What was to be changed when it could not be.
#[derive(Debug, thiserror::Error)]
pub enum AsideError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{place} was not written by this program: restore the store from a backup")]
    Corrupt { place: String, source: serde_json::Error },
}

/// Carries out `operations` if every guard holds, with the entry that tells of them. Of operations, two fewer than a
/// transaction may have. Answers with the revision that did it.
///
/// # Errors
/// The store's; [`StoreError::Conflict`] where one of `guards` does not hold.
pub async fn write(
    store: &dyn Store,
    guards: &[Guard],
    operations: &[Operation],
    changes: Vec<AuditChange>,
    (actor, now): (&Actor, Wall),
) -> Result<Revision, AsideError> {
    let counter = counter_key()?;
    let document = AsideDocument { at: now.0, actor: actor.to_string(), changes };
    let value = serde_json::to_vec(&document).map_err(|source| corrupt(&counter, source))?;
    let mut tries = 0;
    loop {
        let read = store.get(&counter).await?;
        let number = number_of(read.as_ref())? + 1;
        let mut all = operations.to_vec();
        all.push(Operation::put(&counter, number.to_string()));
        all.push(Operation::put(&entry_key(number)?, value.clone()));
        let guard = Guard::unchanged(&counter, read.as_ref());
        let guards = guards.iter().cloned().chain([guard]).collect();
        tries += 1;
        match store.commit(Transaction::new(guards, all)?).await {
            Ok(revision) => return Ok(revision),
            // Only the number was taken, by another writer.
            Err(StoreError::Conflict { key, .. }) if key == counter && tries < TRIES_MAX => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// How many there are, which is the number of the newest.
///
/// # Errors
/// The store's, or a counter that was not written by us.
pub async fn count(store: &dyn Store) -> Result<u64, AsideError> {
    number_of(store.get(&counter_key()?).await?.as_ref())
}

/// One of them.
///
/// # Errors
/// The store's, or an entry that was not written by us.
pub async fn entry(store: &dyn Store, number: u64) -> Result<Option<AuditEntry>, AsideError> {
    let key = entry_key(number)?;
    let Some(entry) = store.get(&key).await? else { return Ok(None) };
    let AsideDocument { at, actor, changes } =
        serde_json::from_slice(&entry.value).map_err(|source| corrupt(&key, source))?;
    Ok(Some(AuditEntry { revision: None, at: Wall(at), actor, changes }))
}

fn counter_key() -> Result<Key, StoreError> {
    Key::new("audit-aside-counter")
}

fn entry_key(number: u64) -> Result<Key, StoreError> {
    Key::new(format!("audit-aside/{number:020}"))
}

fn number_of(entry: Option<&Entry>) -> Result<u64, AsideError> {
    let Some(entry) = entry else { return Ok(0) };
    serde_json::from_slice(&entry.value).map_err(|source| corrupt(&entry.key, source))
}

fn corrupt(key: &Key, source: serde_json::Error) -> AsideError {
    AsideError::Corrupt { place: key.to_string(), source }
}
