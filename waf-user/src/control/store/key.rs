//! Text -> [`Key`] or [`Prefix`]: names of entries, such as `environment/17`. Ordered by their bytes in every engine.

use std::fmt;
use std::str::FromStr;

use super::StoreError;
use super::limits::KEY_BYTES_MAX;

/// Name of one entry: 1 to 512 bytes of visible ASCII, by custom words between slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// The beginning of keys; the empty one is that of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix(String);

impl Key {
    /// # Errors
    /// Empty, longer than [`KEY_BYTES_MAX`], or with other characters than visible ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, StoreError> {
        let text = text.into();
        if text.is_empty() {
            return Err(StoreError::EmptyKey);
        }
        visible(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Prefix {
    /// # Errors
    /// Longer than [`KEY_BYTES_MAX`], or with other characters than visible ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, StoreError> {
        visible(text.into()).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of this prefix and a rest.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub fn key(&self, rest: impl fmt::Display) -> Result<Key, StoreError> {
        Key::new(format!("{}{rest}", self.0))
    }

    pub fn holds(&self, key: &Key) -> bool {
        key.0.starts_with(&self.0)
    }

    /// What of a key comes after this prefix; none of a key that has another beginning.
    pub fn rest<'a>(&self, key: &'a Key) -> Option<&'a str> {
        key.0.strip_prefix(&self.0)
    }

    /// The first text after all that begin with this prefix. Visible ASCII has a following byte, always.
    pub(super) fn end(&self) -> String {
        let mut end = self.0.clone();
        match end.pop() {
            Some(last) => end.push(char::from(last as u8 + 1)),
            None => end.push('\u{7f}'),
        }
        end
    }
}

impl FromStr for Key {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        Self::new(text)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn visible(text: String) -> Result<String, StoreError> {
    if text.len() > KEY_BYTES_MAX {
        let start = text.chars().take(40).collect();
        return Err(StoreError::KeyLength { start, bytes: text.len() });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(StoreError::KeyCharacter(text));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
