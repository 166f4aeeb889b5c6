//! Keys that seal and open: the first seals, all open. AES-256-GCM with a random nonce, from AWS-LC.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};

use super::sealed::{ID_LEN, Parts, Sealed};
use super::{Secret, SecretError};

/// Bytes of a key.
pub const KEY_LEN: usize = 32;
/// Keys of one ring: one a rotation, and old ones are taken out once nothing is sealed with them.
pub const KEYS_MAX: usize = 16;
/// What a key's name is made from besides the key, and what is bound into every sealed value.
const PURPOSE: &[u8] = b"waf control secrets at rest 1";

/// Name of a key, made from it one way; it stands in every value that the key has sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(super) [u8; ID_LEN]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::hex::encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One key. The library wipes its copy when it goes.
struct SealingKey {
    id: KeyId,
    key: RandomizedNonceKey,
}

/// The keys of a control plane, the current one first.
pub struct KeyRing {
    current: SealingKey,
    older: Vec<SealingKey>,
}

impl KeyRing {
    /// `current` seals from now on; `older` open what they have sealed.
    ///
    /// # Errors
    /// The library refuses a key.
    pub fn new(
        current: &Secret<[u8; KEY_LEN]>,
        older: &[Secret<[u8; KEY_LEN]>],
    ) -> Result<Self, SecretError> {
        let older = older.iter().map(SealingKey::new).collect::<Result<_, _>>()?;
        Ok(Self { current: SealingKey::new(current)?, older })
    }

    /// The key that seals.
    pub fn current(&self) -> KeyId {
        self.current.id
    }

    /// Seals a secret for one place, such as a key of the store: moved to another, it does not open. With random nonces one key is good for
    /// 2^32 values.
    ///
    /// # Errors
    /// The library fails, for lack of random bytes.
    pub fn seal(&self, place: &str, secret: &Secret<Vec<u8>>) -> Result<Sealed, SecretError> {
        let SealingKey { id, key: sealing } = &self.current;
        let mut bytes = Vec::with_capacity(secret.expose().len() + AES_256_GCM.tag_len());
        bytes.extend_from_slice(secret.expose());
        let nonce = sealing
            .seal_in_place_append_tag(bound_to(*id, place), &mut bytes)
            .map_err(|_| SecretError::Seal(place.to_owned()))?;
        Ok(Sealed::join(*id, nonce.as_ref(), &bytes))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// Sealed with a key that the ring lacks, altered, or sealed for another key of the store.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Secret<Vec<u8>>, SecretError> {
        let Parts { id, nonce, ciphertext } = sealed.parts();
        let mut keys = std::iter::once(&self.current).chain(&self.older);
        let Some(opening) = keys.find(|candidate| candidate.id == id) else {
            return Err(SecretError::UnknownKey { place: place.to_owned(), id });
        };
        let altered = |_| SecretError::Altered(place.to_owned());
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(altered)?;
        let mut opened = Secret::new(ciphertext.to_vec());
        let len =
            opening.key.open_in_place(nonce, bound_to(id, place), &mut opened.0).map_err(altered)?.len();
        opened.0.truncate(len);
        Ok(opened)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} and {} older", self.current.id, self.older.len())
    }
}

impl SealingKey {
    fn new(key: &Secret<[u8; KEY_LEN]>) -> Result<Self, SecretError> {
        // 256 random bits: the hash gives nothing of them away.
        let named = Secret::new([PURPOSE, key.expose()].concat());
        let mut id = [0; ID_LEN];
        id.copy_from_slice(
            digest(&SHA256, named.expose()).as_ref().first_chunk::<ID_LEN>().unwrap_or(&[0; ID_LEN]),
        );
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map_err(|_| SecretError::Random)?;
        Ok(Self { id: KeyId(id), key })
    }
}

/// What a value can only be opened with: its place in the store, and the key's name.
fn bound_to(id: KeyId, place: &str) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, &id.0, place.as_bytes()].concat())
}
