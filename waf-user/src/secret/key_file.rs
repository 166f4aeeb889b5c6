//! The file of the keys: where it lies, who may read it, and how a key is added. One key a line in hexadecimal digits, the
//! current one first; `#` begins a comment.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::key_ring::{KEY_LEN, KEYS_MAX};
use super::{KeyRing, Secret, SecretError, hex};

/// Name of the file in the data directory.
const FILE_NAME: &str = "secret.keys";
/// Name of the credential that systemd may pass (`LoadCredential=waf-control-keys:…`).
const CREDENTIAL: &str = "waf-control-keys";
const FILE_MODE: u32 = 0o600;
/// Bytes of a key file: sixteen keys with a comment each.
const FILE_BYTES_MAX: u64 = 64 * 1024;
const HEADING: &str = "# Keys of the secrets that waf control keeps. The first one seals, all of them open.\n\
    # Keep a copy elsewhere than the store's backups: without it the secrets in them are lost.\n";

/// Where the keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file of our user or root that nobody else may read.
    File(PathBuf),
    /// A credential of systemd, in the folder that it made for this service alone.
    Credential(PathBuf),
}

impl KeyPlace {
    /// The file that the configuration names; else systemd's credential (`credentials`: `$CREDENTIALS_DIRECTORY`), where
    /// there is one; else the file in the data directory.
    pub fn find(named: Option<&Path>, credentials: Option<&Path>, data_directory: &Path) -> Self {
        let credential = credentials.map(|folder| folder.join(CREDENTIAL)).filter(|path| path.exists());
        match (named, credential) {
            (Some(path), _) => Self::File(path.to_owned()),
            (None, Some(path)) => Self::Credential(path),
            (None, None) => Self::File(data_directory.join(FILE_NAME)),
        }
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// The file is missing, open to others, or holds something else than keys.
    pub fn load(&self) -> Result<KeyRing, SecretError> {
        let keys = self.read()?;
        match keys.split_first() {
            Some((current, older)) => KeyRing::new(current, older),
            None => Err(SecretError::NoKey { path: self.path().to_owned() }),
        }
    }

    /// Reads the keys, or makes a file with a first one where there is none: for the start of an empty store only, for with
    /// a new key old secrets stay shut.
    ///
    /// # Errors
    /// As [`KeyPlace::load`]; the file cannot be made.
    pub fn load_or_make(&self) -> Result<KeyRing, SecretError> {
        match self.load() {
            Err(SecretError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            other => return other,
        }
        self.write_new(&[random()?], self.path())?;
        self.load()
    }

    /// Puts a new key before the others: what is sealed from now on is sealed with it. [`super::reseal`] does it for what
    /// is there; then the old keys can be taken out of the file.
    ///
    /// # Errors
    /// As [`KeyPlace::load`]; the ring is full, or the file cannot be written.
    pub fn add_key(&self) -> Result<KeyRing, SecretError> {
        let mut keys = self.read()?;
        keys.insert(0, random()?);
        if keys.len() > KEYS_MAX {
            return Err(SecretError::TooManyKeys { path: self.path().to_owned() });
        }
        let path = self.path();
        let beside = path.with_extension("new");
        let error = |source| SecretError::Write { path: path.to_owned(), source };
        match std::fs::remove_file(&beside) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(error(source)),
            _ => {}
        }
        self.write_new(&keys, &beside)?;
        std::fs::rename(&beside, path).map_err(error)?;
        self.keep_folder()?;
        self.load()
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Credential(path) => path,
        }
    }

    fn read(&self) -> Result<Vec<Secret<[u8; KEY_LEN]>>, SecretError> {
        let path = self.path();
        let error = |source| SecretError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(error)?;
        let metadata = file.metadata().map_err(error)?;
        // systemd lets the service in by an access list, which the mode shows as the group's right.
        let others = match self {
            Self::File(_) => 0o077,
            Self::Credential(_) => 0o007,
        };
        if metadata.mode() & others != 0 {
            return Err(SecretError::Mode { path: path.to_owned(), mode: metadata.mode() & 0o7777 });
        }
        let owner = metadata.uid();
        if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
            return Err(SecretError::Owner { path: path.to_owned(), owner });
        }
        // Room for all of it at once: a string that grows leaves copies behind.
        let mut text = Secret::new(String::with_capacity(FILE_BYTES_MAX as usize));
        file.take(FILE_BYTES_MAX).read_to_string(&mut text.0).map_err(error)?;
        self.parse(text.expose())
    }

    fn parse(&self, text: &str) -> Result<Vec<Secret<[u8; KEY_LEN]>>, SecretError> {
        let path = || self.path().to_owned();
        let mut keys = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let digits = line.split('#').next().unwrap_or_default().trim();
            if digits.is_empty() {
                continue;
            }
            let bytes = Secret::new(hex::decode(digits).unwrap_or_default());
            let key = bytes.expose().as_slice().try_into();
            keys.push(Secret::new(key.map_err(|_| SecretError::Line { path: path(), line: at + 1 })?));
            if keys.len() > KEYS_MAX {
                return Err(SecretError::TooManyKeys { path: path() });
            }
        }
        Ok(keys)
    }

    /// Writes a file that was not there, to the disk.
    fn write_new(&self, keys: &[Secret<[u8; KEY_LEN]>], path: &Path) -> Result<(), SecretError> {
        let error = |source| SecretError::Write { path: path.to_owned(), source };
        let mut text = Secret::new(String::with_capacity(HEADING.len() + keys.len() * (KEY_LEN * 2 + 1)));
        text.0.push_str(HEADING);
        for key in keys {
            let digits = Secret::new(hex::encode(key.expose()));
            text.0.push_str(digits.expose());
            text.0.push('\n');
        }
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(FILE_MODE).open(path).map_err(error)?;
        file.write_all(text.expose().as_bytes()).map_err(error)?;
        file.sync_all().map_err(error)?;
        self.keep_folder()
    }

    /// A new name is on the disk when its folder is.
    fn keep_folder(&self) -> Result<(), SecretError> {
        let Some(folder) = self.path().parent().filter(|folder| !folder.as_os_str().is_empty()) else {
            return Ok(());
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| SecretError::Write { path: self.path().to_owned(), source })
    }
}

fn random() -> Result<Secret<[u8; KEY_LEN]>, SecretError> {
    let mut key = Secret::new([0; KEY_LEN]);
    aws_lc_rs::rand::fill(&mut key.0).map_err(|_| SecretError::Random)?;
    Ok(key)
}
