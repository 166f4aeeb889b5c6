//! Secrets of both planes: certificate keys, ticket and DNS secrets. In memory they are a [`Secret`], which never prints;
//! at rest they are [`Sealed`] by a [`KeyRing`], in store, snapshot and export alike. Knows bytes and the names of places,
//! and nothing of what a secret opens.

pub mod hex;
mod key_file;
mod key_ring;
mod sealed;

mod error;

use std::fmt;

use zeroize::Zeroize;

pub use error::SecretError;
pub use key_file::KeyPlace;
pub use key_ring::{KeyId, KeyRing};
pub use sealed::{Sealed, TEXT};

/// A value that is never printed, compared or serialised, and is wiped when it goes. What has copied it out of
/// [`Secret::expose`] (a TLS library, a buffer that grew) has to see to its copy.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: the one word to look for when asking where secrets go.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests;
