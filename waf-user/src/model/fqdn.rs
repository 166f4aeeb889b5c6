//! Fully qualified domain names of sites: lower-case A-labels without the final dot.

use std::fmt;

/// RFC 1035 §2.3.4, less the root's length octet and one label's.
const FQDN_LEN_MAX: usize = 253;
const LABEL_LEN_MAX: usize = 63;

/// Why a text is no site's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FqdnError {
    #[error("name is empty or longer than {FQDN_LEN_MAX} characters")]
    Length,
    #[error("label {0:?} is empty, longer than {LABEL_LEN_MAX} characters, or begins or ends with -")]
    Label(String),
    #[error("character {0:?} is no letter, digit, - or _ (write an IDN as its A-labels, xn--…)")]
    Character(char),
    #[error("{0:?} is an address, not a name")]
    Address(String),
}

/// One site's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fqdn(Box<str>);

impl Fqdn {
    /// Lower-cases, drops one final dot, and checks the shape of each label.
    ///
    /// # Errors
    /// See [`FqdnError`].
    pub fn new(text: &str) -> Result<Self, FqdnError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() || name.len() > FQDN_LEN_MAX {
            return Err(FqdnError::Length);
        }
        if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
            return Err(FqdnError::Character(c));
        }
        for label in name.split('.') {
            if label.is_empty()
                || label.len() > LABEL_LEN_MAX
                || label.starts_with('-')
                || label.ends_with('-')
            {
                return Err(FqdnError::Label(label.to_owned()));
            }
        }
        if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err(FqdnError::Address(text.to_owned()));
        }
        Ok(Self(name.to_ascii_lowercase().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Fqdn {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fqdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
