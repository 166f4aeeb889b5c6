//! `<state_dir>/control/`: who this node is towards control, the last good document with its signature, and the
//! certificates that it needs, their keys sealed. What is on disk is believed no more than what comes over the wire.
//!
//! ```text
//! node.pem                               our certificate and its key, in one file so that they always fit; 0600 as all
//! authority.pem fleet.key                by what control is known; written after node.pem, fleet.key last
//! shelf.keys                             seals the keys of certificates
//! document.json                          the last good document, its generation and signature
//! certificates/<fingerprint>.{pem,key}   of that document and of the one being staged
//! ```

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use x509_parser::pem::parse_x509_pem;

use crate::config::shipped::is_fingerprint;
use crate::model::sync::{Certificate, JoinReply, KeyText, NodeDocument, frame, signing};
use crate::secret::{KeyPlace, KeyRing, Sealed, Secret, SecretError, hex};
use crate::tls::{Identity, TlsError};

/// Bytes of a chain or key: ten certificates of RSA 4096 have 30 KB.
const PEM_BYTES_MAX: u64 = 256 * 1024;

/// What was being done with which file.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("this node has not joined: run `waf node-join --config FILE --control URL --token TOKEN` first")]
    NotJoined,
    #[error("this node belongs to another fleet: delete {0} to join this one, with all that it serves now")]
    OtherFleet(PathBuf),
    #[error("{0} is open to others than its owner: chmod 600, and join again if anybody may have read it")]
    Open(PathBuf),
    #[error("use this node's own certificate in {path}")]
    Own { path: PathBuf, source: Box<TlsError> },
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("{0:?} is no fingerprint of a certificate")]
    Fingerprint(String),
    #[error("certificate {fingerprint} is another than its name says")]
    Other { fingerprint: String },
    #[error("use certificate {fingerprint}")]
    Identity { fingerprint: String, source: Box<TlsError> },
    #[error("{path} is no document")]
    Document { path: PathBuf, source: serde_json::Error },
    #[error("the document of generation {generation} is not what this fleet's control signed for this node")]
    Signature { generation: u64 },
    #[error("certificates of the document of generation {generation} are missing or damaged: {}", .fingerprints.join(", "))]
    Certificates { generation: u64, fingerprints: Vec<String> },
}

impl ShelfError {
    /// Whether what control sent lies there spoilt: it can send it again.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Document { .. } | Self::Signature { .. } | Self::Certificates { .. })
    }
}

/// Who this node is, as joining or the last renewal left it.
#[derive(Debug)]
pub struct Membership {
    pub identity: Identity,
    /// PEM.
    pub authority: String,
    pub fleet_key: String,
}

/// A document that control signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub generation: u64,
    pub text: String,
    pub signature: String,
    pub document: NodeDocument,
}

impl Signed {
    /// # Errors
    /// The signature is another's, or the text is no document.
    pub fn check(
        fleet_key: &str,
        node: &str,
        (generation, text, signature): (u64, String, String),
    ) -> Result<Self, ShelfError> {
        if !signing::is_signed(fleet_key, node, generation, &text, &signature) {
            return Err(ShelfError::Signature { generation });
        }
        let path = PathBuf::from("what control sent");
        let document =
            NodeDocument::from_text(&text).map_err(|source| ShelfError::Document { path, source })?;
        Ok(Self { generation, text, signature, document })
    }

    pub fn hash(&self) -> String {
        signing::hash_of(&self.text)
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    generation: u64,
    document: String,
    signature: String,
}

/// The folder, open.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    keys: KeyRing,
    /// Certificates that were read and checked once: a document differs from the one before by a few of them.
    checked: Mutex<HashMap<String, Identity>>,
}

impl Shelf {
    /// Makes what is not there.
    ///
    /// # Errors
    /// The folder or the key file cannot be made or read.
    pub fn open(state_dir: &Path) -> Result<Self, ShelfError> {
        let folder = state_dir.join("control");
        let certificates = folder.join("certificates");
        let error = |source| ShelfError::Write { path: certificates.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&certificates).map_err(error)?;
        let keys = KeyPlace::File(folder.join("shelf.keys")).load_or_make()?;
        Ok(Self { folder, keys, checked: Mutex::default() })
    }

    /// As [`Shelf::open`] where there is one, and makes nothing.
    ///
    /// # Errors
    /// The key file cannot be read.
    pub fn look(state_dir: &Path) -> Result<Option<Self>, ShelfError> {
        let folder = state_dir.join("control");
        if !folder.exists() {
            return Ok(None);
        }
        let keys = KeyPlace::File(folder.join("shelf.keys")).load()?;
        Ok(Some(Self { folder, keys, checked: Mutex::default() }))
    }

    /// Keeps what joining brought, after [`Shelf::check_fleet`]. Who joins again, for lack of a certificate that still holds, keeps what it serves.
    ///
    /// # Errors
    /// Key and certificate do not fit, or a file cannot be written.
    pub fn join(&self, reply: &JoinReply, key: &KeyText) -> Result<(), ShelfError> {
        self.renew(&reply.certificate, key)?;
        self.write("authority.pem", reply.authority.as_bytes())?;
        self.write("fleet.key", reply.fleet_key.as_bytes())
    }

    /// Puts a newer certificate of our own in place.
    ///
    /// # Errors
    /// Key and certificate do not fit, or the file cannot be written; the one before stays.
    pub fn renew(&self, certificate: &str, key: &KeyText) -> Result<(), ShelfError> {
        let both = KeyText::new(format!("{}\n{}", certificate.trim_end(), key.expose()));
        self.own(&both)?;
        self.write("node.pem", both.expose().as_bytes())
    }

    /// Whether this node may become, or is, a member of the fleet whose authority's certificate (DER) has this SHA-256,
    /// 64 hexadecimal digits.
    ///
    /// # Errors
    /// It is another fleet's, or the file cannot be read.
    pub fn check_fleet(&self, authority: &str) -> Result<(), ShelfError> {
        let Some(known) = self.read("authority.pem", PEM_BYTES_MAX)? else { return Ok(()) };
        let is_same = parse_x509_pem(known.as_bytes())
            .is_ok_and(|(_, pem)| signing::digits(digest(&SHA256, &pem.contents).as_ref()) == authority);
        if is_same { Ok(()) } else { Err(ShelfError::OtherFleet(self.folder.clone())) }
    }

    /// What documents are checked with, whether or not the rest of the membership is of use.
    ///
    /// # Errors
    /// This node has not joined, or the file cannot be read.
    pub fn fleet_key(&self) -> Result<String, ShelfError> {
        self.read("fleet.key", PEM_BYTES_MAX)?.ok_or(ShelfError::NotJoined)
    }

    /// # Errors
    /// This node has not joined, a file cannot be read or is open to others.
    pub fn membership(&self) -> Result<Membership, ShelfError> {
        let fleet_key = self.fleet_key()?;
        let text = |name| self.read(name, PEM_BYTES_MAX)?.ok_or(ShelfError::NotJoined);
        let own = KeyText::new(text("node.pem")?);
        let path = self.folder.join("node.pem");
        let mode = fs::metadata(&path).map_err(|source| ShelfError::Read { path: path.clone(), source })?;
        if mode.mode() & 0o077 != 0 {
            return Err(ShelfError::Open(path));
        }
        Ok(Membership { identity: self.own(&own)?, authority: text("authority.pem")?, fleet_key })
    }

    fn own(&self, both: &KeyText) -> Result<Identity, ShelfError> {
        let pem = both.expose().as_bytes();
        let path = || self.folder.join("node.pem");
        Identity::from_pem(pem, pem)
            .map_err(|source| ShelfError::Own { path: path(), source: Box::new(source) })
    }

    /// The last good document; none where control never sent one.
    ///
    /// # Errors
    /// It cannot be read, or is not what control signed for this node.
    pub fn document(&self, fleet_key: &str, node: &str) -> Result<Option<Signed>, ShelfError> {
        // JSON within JSON: every quote has one more byte.
        let Some(text) = self.read("document.json", 2 * frame::FRAME_BYTES_MAX as u64)? else {
            return Ok(None);
        };
        let path = self.folder.join("document.json");
        let kept: Kept =
            serde_json::from_str(&text).map_err(|source| ShelfError::Document { path, source })?;
        Signed::check(fleet_key, node, (kept.generation, kept.document, kept.signature)).map(Some)
    }

    /// The last good document with all its certificates.
    ///
    /// # Errors
    /// As [`Shelf::document`]; a certificate of it is missing or damaged.
    pub fn last_good(&self, fleet_key: &str, node: &str) -> Result<Option<Signed>, ShelfError> {
        let Some(signed) = self.document(fleet_key, node)? else { return Ok(None) };
        let fingerprints = self.missing(&signed.document);
        if fingerprints.is_empty() {
            return Ok(Some(signed));
        }
        Err(ShelfError::Certificates { generation: signed.generation, fingerprints })
    }

    /// Keeps a document as the last good one.
    ///
    /// # Errors
    /// It cannot be written; the one before stays.
    pub fn keep(&self, signed: &Signed) -> Result<(), ShelfError> {
        let kept = Kept {
            generation: signed.generation,
            document: signed.text.clone(),
            signature: signed.signature.clone(),
        };
        let path = self.folder.join("document.json");
        let text = serde_json::to_vec(&kept).map_err(|source| ShelfError::Document { path, source })?;
        self.write("document.json", &text)
    }

    /// Those of the document's certificates that are not here, or not whole.
    pub fn missing(&self, document: &NodeDocument) -> Vec<String> {
        let named: HashSet<&str> = document.certificates().collect();
        let mut missing: Vec<String> =
            named.into_iter().filter(|name| self.identity(name).is_err()).map(str::to_owned).collect();
        missing.sort();
        missing
    }

    /// Keeps a certificate, its key sealed for this place.
    ///
    /// # Errors
    /// It is another than its fingerprint says, its key does not fit, or it cannot be written.
    pub fn put(&self, certificate: &Certificate) -> Result<(), ShelfError> {
        let Certificate { fingerprint, chain, key } = certificate;
        if !is_fingerprint(fingerprint) {
            return Err(ShelfError::Fingerprint(fingerprint.clone()));
        }
        let identity = checked(fingerprint, chain.as_bytes(), key.expose().as_bytes())?;
        let secret = Secret::new(key.expose().as_bytes().to_vec());
        let sealed = self.keys.seal(&place(fingerprint), &secret)?;
        self.write(&format!("certificates/{fingerprint}.pem"), chain.as_bytes())?;
        self.write(&format!("certificates/{fingerprint}.key"), sealed.to_string().as_bytes())?;
        self.known().insert(fingerprint.clone(), identity);
        Ok(())
    }

    /// # Errors
    /// It is not here, or not what its name says.
    pub fn identity(&self, fingerprint: &str) -> Result<Identity, ShelfError> {
        if !is_fingerprint(fingerprint) {
            return Err(ShelfError::Fingerprint(fingerprint.to_owned()));
        }
        if let Some(identity) = self.known().get(fingerprint) {
            return Ok(identity.clone());
        }
        let text = |ending: &str| {
            let name = format!("certificates/{fingerprint}.{ending}");
            let path = self.folder.join(&name);
            let absent = ShelfError::Read { path, source: io::ErrorKind::NotFound.into() };
            // Sealed and in digits a key is more than twice as long.
            self.read(&name, 4 * PEM_BYTES_MAX)?.ok_or(absent)
        };
        let (chain, sealed) = (text("pem")?, text("key")?);
        let key = self.keys.open(&place(fingerprint), &sealed.parse::<Sealed>()?)?;
        let identity = checked(fingerprint, chain.as_bytes(), key.expose())?;
        self.known().insert(fingerprint.to_owned(), identity.clone());
        Ok(identity)
    }

    /// What a panicking holder left is whole: single entries.
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Identity>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes away the certificates that the document does not need. What cannot be removed stays, and is tried again.
    pub fn sweep(&self, document: &NodeDocument) {
        let named: HashSet<&str> = document.certificates().collect();
        self.known().retain(|fingerprint, _| named.contains(fingerprint.as_str()));
        let Ok(entries) = fs::read_dir(self.folder.join("certificates")) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !named.contains(stem)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(path = %path.display(), %error, "certificate of no tenant stays on disk");
            }
        }
    }

    fn read(&self, name: &str, bytes_max: u64) -> Result<Option<String>, ShelfError> {
        let path = self.folder.join(name);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file,
        };
        let mut text = String::new();
        let read = file.and_then(|file| file.take(bytes_max).read_to_string(&mut text));
        read.map_err(|source| ShelfError::Read { path, source })?;
        Ok(Some(text))
    }

    /// Whole or not at all, and on the disk when it returns.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ShelfError> {
        let path = self.folder.join(name);
        let beside = path.with_added_extension("new");
        let written = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            // One that was left there has the mode that it had.
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        written().map_err(|source| ShelfError::Write { path: path.clone(), source })
    }
}

fn place(fingerprint: &str) -> String {
    format!("certificate/{fingerprint}")
}

fn checked(fingerprint: &str, chain: &[u8], key: &[u8]) -> Result<Identity, ShelfError> {
    let named = || fingerprint.to_owned();
    let identity = Identity::from_pem(chain, key)
        .map_err(|source| ShelfError::Identity { fingerprint: named(), source: Box::new(source) })?;
    if hex::encode(&identity.fingerprint()) != fingerprint {
        return Err(ShelfError::Other { fingerprint: named() });
    }
    Ok(identity)
}

#[cfg(test)]
mod tests;
