//! Operations -> one more revision, all of them or none. Few go in one transaction. Of many the parts are written first, then
//! the counter is set to name them, which is the moment they count; then each part is carried out and removed in one
//! transaction, by this process or by whoever opens the ledger next.

use super::LedgerError;
use super::load::{Counter, Pending, ROOT, key, pending_prefix, read};
use crate::control::store::{Entry, Guard, Key, Operation, Prefix, Store, StoreError, Transaction};
use crate::secret::SecretError;

/// Operations of one transaction besides the counter, the audit entry and a part's own.
const FEW: usize = 120;
/// Bytes of one transaction's values: with keys and the audit entry beside them within the store's bound.
const FEW_BYTES: usize = 768 * 1024;

/// Makes `next` the counter, with everything that it stands for.
pub(super) async fn write(
    store: &dyn Store,
    read: Option<&Entry>,
    next: Counter,
    operations: Vec<Operation>,
    audit: Operation,
) -> Result<(), LedgerError> {
    let counter_key = key("counter")?;
    let guard = Guard::unchanged(&counter_key, read);
    let chunks = chunked(operations);
    if chunks.len() <= 1 {
        let mut all = chunks.into_iter().next().unwrap_or_default();
        all.push(put_counter(&counter_key, next));
        all.push(audit);
        store.commit(Transaction::new(vec![guard], all)?).await?;
        return Ok(());
    }
    let id = random()?;
    let prefix = pending_prefix(id)?;
    for (at, chunk) in chunks.into_iter().enumerate() {
        let part: Pending = chunk.into_iter().map(as_pending).collect();
        let put =
            Operation::put(&prefix.key(format!("{at:08}"))?, serde_json::to_vec(&part).unwrap_or_default());
        store.commit(Transaction::new(vec![guard.clone()], vec![put])?).await?;
    }
    let put = put_counter(&counter_key, Counter { pending: Some(id), ..next });
    store.commit(Transaction::new(vec![guard], vec![put, audit])?).await?;
    if let Err(error) = carry_out(store).await {
        // It counts all the same: the next writer or the next start carries out the rest.
        tracing::warn!(%error, revision = next.revision, "an apply counts, but is not carried out whole yet");
    }
    Ok(())
}

/// Carries out what counts and is not done yet. Several processes may do it at once.
pub(super) async fn carry_out(store: &dyn Store) -> Result<(), LedgerError> {
    let counter_key = key("counter")?;
    let Some(entry) = store.get(&counter_key).await? else { return Ok(()) };
    let counter: Counter = read(counter_key.as_str(), &entry.value)?;
    let Some(id) = counter.pending else { return Ok(()) };
    sweep(store, &pending_prefix(id)?, &Guard::ModifiedAt(counter_key.clone(), entry.modified)).await?;
    for part in store.list(&pending_prefix(id)?).await?.entries {
        let pending: Pending = read(part.key.as_str(), &part.value)?;
        let mut operations = pending.into_iter().map(as_operation).collect::<Result<Vec<_>, _>>()?;
        operations.push(Operation::Delete(part.key.clone()));
        let guards = vec![Guard::ModifiedAt(part.key.clone(), part.modified)];
        match store.commit(Transaction::new(guards, operations)?).await {
            // Another process was faster.
            Err(error) if error.is_conflict() => {}
            other => drop(other?),
        }
    }
    let put = put_counter(&counter_key, Counter { pending: None, ..counter });
    let guards = vec![Guard::ModifiedAt(counter_key, entry.modified)];
    match store.commit(Transaction::new(guards, vec![put])?).await {
        Err(error) if error.is_conflict() => Ok(()),
        other => other.map(drop).map_err(LedgerError::from),
    }
}

/// Takes away the parts of writers that were too late: under the guard of the counter that won they can write no more.
async fn sweep(store: &dyn Store, won: &Prefix, guard: &Guard) -> Result<(), LedgerError> {
    let all = Prefix::new(format!("{ROOT}pending/"))?;
    let lost = store.list(&all).await?.entries.into_iter().filter(|entry| !won.holds(&entry.key));
    let lost: Vec<Operation> = lost.map(|entry| Operation::Delete(entry.key)).collect();
    for chunk in lost.chunks(FEW) {
        match store.commit(Transaction::new(vec![guard.clone()], chunk.to_vec())?).await {
            // Another process has carried all of it out.
            Err(error) if error.is_conflict() => return Ok(()),
            other => drop(other?),
        }
    }
    Ok(())
}

/// Eight bytes from the system.
pub(super) fn random() -> Result<u64, LedgerError> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SecretError::Random)?;
    Ok(u64::from_le_bytes(bytes))
}

fn put_counter(key: &Key, counter: Counter) -> Operation {
    Operation::put(key, serde_json::to_vec(&counter).unwrap_or_default())
}

/// In order, each within one transaction. Of two operations on one key the later counts.
fn chunked(operations: Vec<Operation>) -> Vec<Vec<Operation>> {
    let mut last = std::collections::BTreeMap::new();
    operations.into_iter().for_each(|operation| drop(last.insert(operation.key().clone(), operation)));
    let (mut chunks, mut chunk, mut bytes) = (Vec::new(), Vec::new(), 0);
    for operation in last.into_values() {
        let more = match &operation {
            Operation::Put { value, .. } => value.len(),
            Operation::Delete(_) => 0,
        };
        // As a part it is written as text within text, which costs at most twice.
        if chunk.len() == FEW || (bytes + 2 * more > FEW_BYTES && !chunk.is_empty()) {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
        bytes += 2 * more;
        chunk.push(operation);
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

fn as_pending(operation: Operation) -> (String, Option<String>) {
    match operation {
        Operation::Put { key, value, .. } => {
            (key.to_string(), Some(String::from_utf8_lossy(&value).into_owned()))
        }
        Operation::Delete(key) => (key.to_string(), None),
    }
}

fn as_operation((key, value): (String, Option<String>)) -> Result<Operation, StoreError> {
    let key = Key::new(key)?;
    Ok(match value {
        Some(value) => Operation::put(&key, value),
        None => Operation::Delete(key),
    })
}
