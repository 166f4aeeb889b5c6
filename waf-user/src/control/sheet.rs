//! The hearing sheet of a site: text of a file or of the API -> a [`Sheet`], or all that is wrong in it. Once it is a
//! `Sheet` nothing about it needs checking again. Who sends it, and where the site will be served, is not known here.

mod document;
mod mistake;
mod read;
mod upload;

pub use mistake::{SheetError, SheetErrors};
pub use read::{Format, parse, to_a_labels};
pub use upload::{Key, Upload};

use std::fmt;

use super::capacity::Rates;
use crate::config::OriginUrl;
use crate::model::{Fqdn, Mode, Wall};

/// Country that data may not leave; two letters of ISO 3166-1, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Residency([u8; 2]);

/// Why a text is no residency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the two letters of a country (ISO 3166-1)")]
pub struct ResidencyError;

impl Residency {
    pub const JP: Self = Self(*b"jp");

    /// # Errors
    /// Anything but two letters a-z.
    pub fn new(text: &str) -> Result<Self, ResidencyError> {
        match *text.as_bytes() {
            [a, b] if a.is_ascii_lowercase() && b.is_ascii_lowercase() => Ok(Self([a, b])),
            _ => Err(ResidencyError),
        }
    }
}

impl Default for Residency {
    fn default() -> Self {
        Self::JP
    }
}

impl fmt::Display for Residency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.0[0]), char::from(self.0[1]))
    }
}

/// Which certificate a site has. The PEM text itself goes another way: see [`Submission`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the chain.
    pub fingerprint: [u8; 32],
    /// When the first certificate of the chain ends.
    pub ends: Wall,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate ")?;
        self.fingerprint.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How visitors reach the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP only.
    None,
    /// HTTPS with a certificate that the customer gave.
    Upload(Certificate),
}

/// What else the customer chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    /// 1..=4; none is as the rules say.
    pub paranoia: Option<u8>,
}

/// What a customer asks for one site. Free of secrets: fit for plans, diffs and the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub fqdn: Fqdn,
    pub tls: Tls,
    /// In the customer's order, at least one.
    pub origins: Vec<OriginUrl>,
    /// Of the whole site. Handshakes are 0 exactly where there is no TLS.
    pub peak: Rates,
    pub residency: Residency,
    pub options: Options,
}

/// A sheet as it came in: with the secrets that go to the certificate store and nowhere else.
#[derive(Debug)]
pub struct Submission {
    pub sheet: Sheet,
    /// Present exactly where the sheet says [`Tls::Upload`].
    pub upload: Option<Upload>,
}

#[cfg(test)]
pub(super) mod tests;
