//! Where a certificate or a key comes from: a file that node.toml names, or the shelf of what control sent, by the
//! fingerprint of its chain. What lies there is not looked into here.

use std::fmt;
use std::path::PathBuf;

/// A place of PEM text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    /// SHA-256 of the chain's DER, 64 hexadecimal digits.
    Hash(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Hash(fingerprint) => f.write_str(fingerprint),
        }
    }
}
