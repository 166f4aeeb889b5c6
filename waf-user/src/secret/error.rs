//! Why a secret cannot be sealed, opened or found, without a byte of it.

use std::io;
use std::path::PathBuf;

use super::KeyId;
use super::key_ring::KEYS_MAX;

/// What was being done with which secret or key file.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(
        "read the key file {path} (put it back from where you keep it: what it sealed opens with nothing else)"
    )]
    Read { path: PathBuf, source: io::Error },
    #[error("write the key file {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("key file {path} may be read by others (mode {mode:04o}): chmod 600 {path}")]
    Mode { path: PathBuf, mode: u32 },
    #[error("key file {path} belongs to user {owner}, not to this one or root: chown it")]
    Owner { path: PathBuf, owner: u32 },
    #[error("{path}:{line}: a key is 64 hexadecimal digits on a line of its own")]
    Line { path: PathBuf, line: usize },
    #[error(
        "key file {path} holds no key: delete it and a new one is made, or restore it from where you keep it"
    )]
    NoKey { path: PathBuf },
    #[error("key file {path} holds more than {KEYS_MAX} keys: take out those that seal nothing any more")]
    TooManyKeys { path: PathBuf },
    #[error("the system gives no random bytes")]
    Random,

    #[error("seal the value of {0}")]
    Seal(String),
    #[error("the value of {0} is not sealed")]
    NotSealed(String),
    #[error(
        "the value of {place} is sealed with key {id}, which the key file lacks: put that key back as a later line"
    )]
    UnknownKey { place: String, id: KeyId },
    #[error("the sealed value of {0} was altered, or belongs to another place: restore it from a backup")]
    Altered(String),
    #[error("a sealed value begins with `sealed:` and hexadecimal digits follow")]
    Text,
}
