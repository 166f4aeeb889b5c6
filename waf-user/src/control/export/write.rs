//! Entries of a store, as of one revision of the ledger -> the text.

use std::collections::BTreeMap;

use super::{COUNTER, ExportError, KEPT, PENDING, Text, VERSION, to_words};
use crate::control::ledger::carry_out;
use crate::control::store::{Key, Prefix, Store};

/// How often it is read again where somebody changed the ledger meanwhile.
const TRIES_MAX: usize = 20;

/// Everything, as one text.
///
/// # Errors
/// The store's; changes that come faster than they can be read.
pub async fn export(store: &dyn Store) -> Result<String, ExportError> {
    let counter = Key::new(COUNTER)?;
    for _ in 0..TRIES_MAX {
        carry_out(store).await?;
        let before = store.get(&counter).await?;
        let mut entries = BTreeMap::new();
        // In alphabetical order the certificates come before the ledger that names them, so those are read once more.
        for prefix in KEPT.iter().chain(&["certificate/"]) {
            let listed = store.list(&Prefix::new(*prefix)?).await?.entries;
            let lasting = listed.into_iter().filter(|entry| entry.lease.is_none());
            entries.extend(lasting.map(|entry| (entry.key.to_string(), to_words(&entry.value))));
        }
        let is_whole = entries.keys().all(|key| !key.starts_with(PENDING));
        if is_whole && store.get(&counter).await? == before {
            let mut text = serde_json::to_string_pretty(&Text { waf_export: VERSION, entries })
                .map_err(ExportError::Text)?;
            text.push('\n');
            return Ok(text);
        }
    }
    Err(ExportError::Busy)
}
