//! Rotation: what older keys have sealed is sealed anew with the current one, entry by entry, while others write. May be
//! stopped and begun again at any point.

use super::store::{Entry, Guard, Operation, Prefix, Store, StoreError, Transaction};
use crate::secret::{KeyRing, Sealed, SecretError};

/// Why a rotation stopped.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a rotation found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed anew.
    pub changed: usize,
    /// Sealed with the current key already.
    pub current: usize,
    /// Not sealed at all.
    pub plain: usize,
}

/// Seals anew all entries below a prefix. Afterwards no entry needs an older key, and they can be taken out of the file.
///
/// # Errors
/// An entry cannot be opened (the message names it), or the store's; those before it are done.
pub async fn reseal(store: &dyn Store, prefix: &Prefix, ring: &KeyRing) -> Result<Resealed, ResealError> {
    let mut resealed = Resealed::default();
    for entry in store.list(prefix).await?.entries {
        let mut read = Some(entry);
        while let Some(entry) = read.take() {
            match Sealed::from_bytes(&entry.value) {
                None => resealed.plain += 1,
                Some(sealed) if sealed.key_id() == ring.current() => resealed.current += 1,
                Some(sealed) => match store.commit(anew(ring, &entry, &sealed)?).await {
                    Ok(_) => resealed.changed += 1,
                    // Somebody else wrote it meanwhile: look again.
                    Err(error) if error.is_conflict() => read = store.get(&entry.key).await?,
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }
    Ok(resealed)
}

fn anew(ring: &KeyRing, entry: &Entry, sealed: &Sealed) -> Result<Transaction, ResealError> {
    let secret = ring.open(entry.key.as_str(), sealed)?;
    let value = ring.seal(entry.key.as_str(), &secret)?.into_bytes();
    let put = Operation::Put { key: entry.key.clone(), value, lease: entry.lease };
    Ok(Transaction::new(vec![Guard::ModifiedAt(entry.key.clone(), entry.modified)], vec![put])?)
}

#[cfg(test)]
mod tests;
