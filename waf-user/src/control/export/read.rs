//! The text -> entries of an empty store, looked at first as a whole. Cut off at any point it can be begun again; a ledger
//! is not opened before it is done.

use std::collections::BTreeMap;

use super::{COUNTER, ExportError, KEPT, PENDING, POLICY, Text, VERSION, from_words};
use crate::control::ledger::{View, certificate_of, is_certificate_of, view_of};
use crate::control::sheet::Tls;
use crate::control::store::{Guard, Key, Operation, Prefix, Store, Transaction};
use crate::secret::{KeyRing, Sealed, hex};

/// It lies in the store from the first entry of an import to the last.
pub const IMPORT_UNDER_WAY: &str = "import-under-way";
/// Operations of one transaction.
const CHUNK_LEN: usize = 100;
/// Bytes of one transaction's values.
const CHUNK_BYTES: usize = 768 * 1024;

/// An export that was found good.
pub struct Checked {
    entries: BTreeMap<Key, Vec<u8>>,
    pub view: View,
}

/// Looks at a text as a whole, before anything is written.
///
/// # Errors
/// It is no export, something is missing in it, what it describes cannot be, or the keys do not open its secrets.
pub fn check(keys: &KeyRing, text: &str) -> Result<Checked, ExportError> {
    let Text { waf_export, entries: words } = serde_json::from_str(text).map_err(ExportError::Text)?;
    if waf_export != VERSION {
        return Err(ExportError::Version(waf_export));
    }
    let mut entries = BTreeMap::new();
    for (name, words) in words {
        if !KEPT.iter().any(|kept| name.starts_with(kept)) || name.starts_with(PENDING) {
            return Err(ExportError::Key(name));
        }
        let value = from_words(&words).ok_or_else(|| ExportError::Value(name.clone()))?;
        opens(keys, &name, &value)?;
        entries.insert(Key::new(name)?, value);
    }
    let view = view_of(entries.iter().map(|(key, value)| (key.clone(), value.clone())))?
        .ok_or_else(|| ExportError::Missing(POLICY.to_owned()))?;
    if let Some(violation) = view.state.violations(&view.inventory).first() {
        return Err(ExportError::Violation(violation.to_string()));
    }
    for environment in view.state.environments().values() {
        if let Tls::Upload(certificate) = environment.sheet.tls {
            let key = Key::new(format!("certificate/{}", hex::encode(&certificate.fingerprint)))?;
            if !entries.contains_key(&key) {
                return Err(ExportError::Missing(key.to_string()));
            }
        }
    }
    Ok(Checked { entries, view })
}

/// That the keys open what is sealed in a value.
fn opens(keys: &KeyRing, name: &str, value: &[u8]) -> Result<(), ExportError> {
    if is_certificate_of(name) {
        certificate_of(keys, name, value)?;
    }
    match Sealed::from_bytes(value) {
        Some(sealed) => match keys.open(name, &sealed) {
            Ok(_) => Ok(()),
            Err(error) => Err(ExportError::Sealed(name.to_owned(), error)),
        },
        None => Ok(()),
    }
}

/// Fills an empty store. `progress` hears of entries written, and of how many there are.
///
/// # Errors
/// The store is not empty, or its own.
pub async fn import(
    store: &dyn Store,
    checked: &Checked,
    mut progress: impl FnMut(usize, usize),
) -> Result<(), ExportError> {
    let marker = Key::new(IMPORT_UNDER_WAY)?;
    let guard = begin(store, &marker).await?;
    let (last, first): (Vec<_>, Vec<_>) =
        checked.entries.iter().partition(|(key, _)| [COUNTER, POLICY].contains(&key.as_str()));
    let (mut chunk, mut bytes, mut done) = (Vec::new(), 0, 0);
    for (key, value) in first {
        if chunk.len() == CHUNK_LEN || (bytes + value.len() > CHUNK_BYTES && !chunk.is_empty()) {
            done += chunk.len();
            store.commit(Transaction::new(vec![guard.clone()], std::mem::take(&mut chunk))?).await?;
            progress(done, checked.entries.len());
            bytes = 0;
        }
        bytes += value.len();
        chunk.push(Operation::put(key, value.clone()));
    }
    chunk.extend(last.into_iter().map(|(key, value)| Operation::put(key, value.clone())));
    chunk.push(Operation::Delete(marker));
    store.commit(Transaction::new(vec![guard], chunk)?).await?;
    progress(checked.entries.len(), checked.entries.len());
    Ok(())
}

/// Sets the marker, once what an import that broke off has written is gone. Answers with what every write compares.
async fn begin(store: &dyn Store, marker: &Key) -> Result<Guard, ExportError> {
    let policy = Key::new(POLICY)?;
    let found = store.get(marker).await?;
    let put = Operation::put(marker, "waf import");
    let guards = vec![Guard::Absent(policy), Guard::unchanged(marker, found.as_ref())];
    let modified = match store.commit(Transaction::new(guards, vec![put])?).await {
        Err(error) if error.is_conflict() => return Err(ExportError::NotEmpty),
        modified => modified?,
    };
    let guard = Guard::ModifiedAt(marker.clone(), modified);
    let mut old = Vec::new();
    for prefix in KEPT {
        let listed = store.list(&Prefix::new(prefix)?).await?.entries;
        old.extend(listed.into_iter().map(|entry| Operation::Delete(entry.key)));
    }
    if found.is_none() && !old.is_empty() {
        store.commit(Transaction::new(vec![guard], vec![Operation::Delete(marker.clone())])?).await?;
        return Err(ExportError::NotEmpty);
    }
    for chunk in old.chunks(CHUNK_LEN) {
        store.commit(Transaction::new(vec![guard.clone()], chunk.to_vec())?).await?;
    }
    Ok(guard)
}
