//! Operations -> one more revision, all of them or none. Few go in one transaction. Of many the parts are written first, then
//! the counter is set to name them, which is the moment they count; then each part is carried out and removed in one
//! transaction, by this process or by whoever opens the ledger next.

use std::collections::BTreeMap;

use super::LedgerError;
use super::load::{Counter, Held, Pending, ROOT, bytes, pending_prefix, put, read};
use crate::control::store::{Guard, Key, Operation, Prefix, Store, StoreError, Transaction};

/// Operations of one transaction besides the counter, the audit entry and a part's own.
const FEW: usize = 120;
/// Bytes of one transaction's values: with keys and the audit entry beside them within the store's bound.
const FEW_BYTES: usize = 768 * 1024;

/// Makes `next` the counter, with everything that it stands for. Answers with the counter as it stands then.
pub(super) async fn write(
    store: &dyn Store,
    held: Held,
    next: Counter,
    operations: Vec<Operation>,
    audit: Operation,
) -> Result<Held, LedgerError> {
    let guard = held.guard()?;
    let chunks = chunked(operations);
    if chunks.len() <= 1 {
        let mut all = chunks.into_iter().next().unwrap_or_default();
        all.extend([put("counter", &next)?, audit]);
        let modified = store.commit(Transaction::new(vec![guard], all)?).await?;
        return Ok(Held { counter: next, modified: Some(modified) });
    }
    let prefix = pending_prefix(next.stamp)?;
    for (at, chunk) in chunks.into_iter().enumerate() {
        let part: Pending = chunk.into_iter().map(as_pending).collect();
        let put = Operation::put(&prefix.key(format!("{at:08}"))?, bytes(&part));
        store.commit(Transaction::new(vec![guard.clone()], vec![put])?).await?;
    }
    let counter = Counter { pending: true, ..next };
    let all = vec![put("counter", &counter)?, audit];
    let modified = store.commit(Transaction::new(vec![guard], all)?).await?;
    Ok(Held { counter, modified: Some(modified) })
}

/// Carries out what counts and is not done yet, and answers with the counter afterwards. Several processes may do it at
/// once.
pub(super) async fn carry_out(store: &dyn Store, held: Held) -> Result<Held, LedgerError> {
    if !held.counter.pending {
        return Ok(held);
    }
    let prefix = pending_prefix(held.counter.stamp)?;
    let guard = held.guard()?;
    sweep(store, &prefix, &guard).await?;
    for part in store.list(&prefix).await?.entries {
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
    let counter = Counter { pending: false, ..held.counter };
    match store.commit(Transaction::new(vec![guard], vec![put("counter", &counter)?])?).await {
        Err(error) if error.is_conflict() => Held::read(store).await,
        Ok(modified) => Ok(Held { counter, modified: Some(modified) }),
        Err(error) => Err(error.into()),
    }
}

/// Takes away the parts of writers that were too late: since the counter that won is there, their guard fails and they can
/// write no more.
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

/// In order, each within one transaction. Of two operations on one key the later counts.
fn chunked(operations: Vec<Operation>) -> Vec<Vec<Operation>> {
    let mut last = BTreeMap::new();
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
            (key.to_string(), Some(String::from_utf8(value).expect("a document is JSON text")))
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
