//! A sheet as a document: what the customer asked for, the certificate by its fingerprint.

use serde::{Deserialize, Serialize};

use super::{DocumentError, Naming};
use crate::config::OriginUrl;
use crate::control::capacity::Rates;
use crate::control::sheet::{Certificate, Options, Residency, Sheet, Tls};
use crate::model::{Fqdn, Mode, Wall};
use crate::secret::hex;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetDocument {
    pub fqdn: String,
    pub residency: String,
    /// `block`, `detect` or `off`.
    pub mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paranoia: Option<u8>,
    pub origins: Vec<String>,
    pub peak: Rates,
    /// None: no TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateDocument {
    /// SHA-256 of the chain, in hexadecimal digits.
    pub fingerprint: String,
    /// Milliseconds since 1970.
    pub ends: u64,
}

impl From<&Sheet> for SheetDocument {
    fn from(sheet: &Sheet) -> Self {
        let certificate = match sheet.tls {
            Tls::None => None,
            Tls::Upload(it) => {
                Some(CertificateDocument { fingerprint: hex::encode(&it.fingerprint), ends: it.ends.0 })
            }
        };
        Self {
            fqdn: sheet.fqdn.to_string(),
            residency: sheet.residency.to_string(),
            mode: word_of(sheet.options.mode).to_owned(),
            paranoia: sheet.options.paranoia,
            origins: sheet.origins.iter().map(ToString::to_string).collect(),
            peak: sheet.peak,
            certificate,
        }
    }
}

impl TryFrom<SheetDocument> for Sheet {
    type Error = DocumentError;

    fn try_from(document: SheetDocument) -> Result<Self, DocumentError> {
        let naming = Naming { what: "sheet", name: &document.fqdn };
        let origins = document.origins.iter().map(|origin| OriginUrl::parse(origin)).collect();
        let tls = match &document.certificate {
            None => Tls::None,
            Some(it) => {
                let fingerprint = fingerprint(&it.fingerprint).ok_or("is not 64 hexadecimal digits");
                let fingerprint = naming.read("certificate.fingerprint", fingerprint)?;
                Tls::Upload(Certificate { fingerprint, ends: Wall(it.ends) })
            }
        };
        let mode = mode_of(&document.mode).ok_or("is none of block, detect, off");
        let options = Options { mode: naming.read("mode", mode)?, paranoia: document.paranoia };
        Ok(Self {
            fqdn: naming.read("fqdn", Fqdn::new(&document.fqdn))?,
            tls,
            origins: naming.read("origins", origins)?,
            peak: document.peak,
            residency: naming.read("residency", Residency::new(&document.residency))?,
            options,
        })
    }
}

fn word_of(mode: Mode) -> &'static str {
    match mode {
        Mode::Block => "block",
        Mode::Detect => "detect",
        Mode::Off => "off",
    }
}

fn mode_of(word: &str) -> Option<Mode> {
    [Mode::Block, Mode::Detect, Mode::Off].into_iter().find(|mode| word_of(*mode) == word)
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    hex::decode(text)?.try_into().ok()
}
