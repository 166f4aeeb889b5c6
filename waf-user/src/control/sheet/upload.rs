//! PEM text of a certificate and its key -> an [`Upload`] that will serve the site, checked plainly: it parses, the key
//! fits, the name is covered, it is valid now. Whom visitors' browsers trust is not known here.

use std::fmt;

use super::Certificate;
use crate::model::{Fqdn, Wall, causes};
use crate::tls::Identity;

/// A private key as PEM text. Shows itself to nobody who prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The PEM text, for the certificate store.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a private key)")
    }
}

/// A certificate chain and its key, as PEM text.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    pub chain: String,
    pub key: Key,
    pub certificate: Certificate,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// What is wrong with an upload: the field below `tls`, what, and the cure.
#[derive(Debug)]
pub(super) struct Refused {
    pub field: &'static str,
    pub what: String,
    pub cure: &'static str,
}

impl Upload {
    /// All that is wrong at once, as far as one fault does not hide the next.
    pub(super) fn new(chain: &str, key: &str, fqdn: Option<&Fqdn>, now: Wall) -> Result<Self, Vec<Refused>> {
        let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes()).map_err(|error| {
            let cure =
                "give the site's certificate first, then its intermediates, and the key that belongs to it";
            vec![Refused { field: "tls", what: causes::chain(&error), cure }]
        })?;
        let mut refused = Vec::new();
        if let Some(fqdn) = fqdn.filter(|fqdn| !identity.covers(fqdn)) {
            let what = format!("does not cover {fqdn}");
            refused.push(Refused { field: "tls.chain", what, cure: "have it issued for this name" });
        }
        let ends = match identity.validity() {
            Ok((begins, _)) if begins > now => {
                let what = format!("is valid from {} on only", Day(begins));
                refused.push(Refused {
                    field: "tls.chain",
                    what,
                    cure: "wait for that day, or give another",
                });
                begins
            }
            Ok((_, ends)) if ends <= now => {
                let what = format!("holds a certificate that ended on {}", Day(ends));
                refused.push(Refused { field: "tls.chain", what, cure: "have it renewed" });
                ends
            }
            Ok((_, ends)) => ends,
            Err(error) => {
                let cure = "give the site's certificate first, then each one's issuer";
                refused.push(Refused { field: "tls.chain", what: causes::chain(&error), cure });
                now
            }
        };
        if !refused.is_empty() {
            return Err(refused);
        }
        let certificate = Certificate { fingerprint: identity.fingerprint(), ends };
        Ok(Self { chain: chain.to_owned(), key: Key(key.to_owned()), certificate })
    }
}

/// A moment as its UTC day.
struct Day(Wall);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = i64::try_from(self.0.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        match day {
            Some(day) => write!(f, "{}", day.strftime("%Y-%m-%d")),
            None => f.write_str("a day beyond the calendar"),
        }
    }
}
