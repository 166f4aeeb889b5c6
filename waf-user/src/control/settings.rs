//! control.toml -> what `waf control` is told of its machine: where it keeps things, where it listens. What it serves is
//! in the store, not here.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::model::{Fqdn, FqdnError};

/// Bytes of the file: a hundred lines.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why a control.toml cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is longer than {FILE_BYTES_MAX} bytes: is it a control.toml?", path.display())]
    Length { path: PathBuf },
    #[error("{}: {error}", path.display())]
    Form { path: PathBuf, error: toml::de::Error },
    #[error("{}: zone {text:?} is no name of a domain: write such as \"edge.example\"", path.display())]
    Zone { path: PathBuf, text: String, source: FqdnError },
    #[error("{}: [api] names holds {text:?}: write names and addresses that clients call it by", path.display())]
    Name { path: PathBuf, text: String },
    #[error("{}: {has} without {lacks}: set both, or neither", path.display())]
    Half { path: PathBuf, has: &'static str, lacks: &'static str },
    #[error("{}: [store] {what} is for etcd only: name its members with etcd = [\"https://…:2379\"]", path.display())]
    EtcdOnly { path: PathBuf, what: &'static str },
    #[error("{}: [store] etcd is an empty list: name members, or leave it out for SQLite", path.display())]
    NoMember { path: PathBuf },
}

/// All of control.toml, paths resolved against its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSettings {
    /// The store, the keys, the first operator's token, the authority's certificate.
    pub data_dir: PathBuf,
    /// In which environments get their names.
    pub zone: Fqdn,
    /// None: systemd's credential, or a file in `data_dir`.
    pub key_file: Option<PathBuf>,
    pub api: ApiSettings,
    /// None: nodes have other control processes.
    pub sync: Option<SocketAddr>,
    pub store: StoreSettings,
}

/// The table [api].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSettings {
    pub listen: SocketAddr,
    pub identity: ApiIdentity,
}

/// Whose certificate the API has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiIdentity {
    /// PEM files.
    Files { certificate: PathBuf, key: PathBuf },
    /// Of the fleet's own authority, on these names and addresses besides the usual one.
    Own { names: Vec<String> },
}

/// The table [store].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreSettings {
    /// In `data_dir`, for this process alone.
    Sqlite,
    Etcd(EtcdPlace),
}

/// An etcd, and how we show who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdPlace {
    /// `https://etcd-1.example:2379`, some or all members.
    pub members: Vec<String>,
    /// Before all our keys.
    pub root: String,
    pub authority: Option<PathBuf>,
    /// Certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Name, and the file of the password.
    pub user: Option<(String, PathBuf)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: PathBuf,
    zone: String,
    key_file: Option<PathBuf>,
    api: ApiTable,
    sync: Option<SyncTable>,
    #[serde(default)]
    store: StoreTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiTable {
    listen: SocketAddr,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    #[serde(default)]
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SyncTable {
    listen: SocketAddr,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreTable {
    etcd: Option<Vec<String>>,
    root: Option<String>,
    authority: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
}

impl ControlSettings {
    /// Reads a control.toml.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let read = |source| SettingsError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(read)?.len() > FILE_BYTES_MAX {
            return Err(SettingsError::Length { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        Self::parse(&text, path)
    }

    /// The text of the file at `path`.
    ///
    /// # Errors
    /// As [`ControlSettings::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let reading = Reading { path, folder: path.parent().unwrap_or(Path::new("")) };
        let file: File =
            toml::from_str(text).map_err(|error| SettingsError::Form { path: path.to_owned(), error })?;
        let zone = Fqdn::new(&file.zone);
        Ok(Self {
            data_dir: reading.at(file.data_dir),
            zone: zone.map_err(|source| SettingsError::Zone {
                path: path.to_owned(),
                text: file.zone,
                source,
            })?,
            key_file: file.key_file.map(|it| reading.at(it)),
            api: reading.api(file.api)?,
            sync: file.sync.map(|sync| sync.listen),
            store: reading.store(file.store)?,
        })
    }
}

/// The file that is being read, for its folder and for messages.
struct Reading<'a> {
    path: &'a Path,
    folder: &'a Path,
}

impl Reading<'_> {
    fn at(&self, path: PathBuf) -> PathBuf {
        self.folder.join(path)
    }

    fn api(&self, table: ApiTable) -> Result<ApiSettings, SettingsError> {
        let both = self.both(("[api] certificate", table.certificate), ("[api] key", table.key))?;
        for text in &table.names {
            if text.parse::<IpAddr>().is_err() && Fqdn::new(text).is_err() {
                return Err(SettingsError::Name { path: self.path.to_owned(), text: text.clone() });
            }
        }
        let identity = match both {
            Some((certificate, key)) => {
                ApiIdentity::Files { certificate: self.at(certificate), key: self.at(key) }
            }
            None => ApiIdentity::Own { names: table.names },
        };
        Ok(ApiSettings { listen: table.listen, identity })
    }

    fn store(&self, table: StoreTable) -> Result<StoreSettings, SettingsError> {
        let Some(members) = table.etcd else {
            let set = [
                ("root", table.root.is_some()),
                ("authority", table.authority.is_some()),
                ("certificate", table.certificate.is_some()),
                ("key", table.key.is_some()),
                ("user", table.user.is_some()),
                ("password_file", table.password_file.is_some()),
            ];
            return match set.into_iter().find(|(_, is_set)| *is_set) {
                Some((what, _)) => Err(SettingsError::EtcdOnly { path: self.path.to_owned(), what }),
                None => Ok(StoreSettings::Sqlite),
            };
        };
        if members.is_empty() {
            return Err(SettingsError::NoMember { path: self.path.to_owned() });
        }
        let identity = self.both(("[store] certificate", table.certificate), ("[store] key", table.key))?;
        let user = self.both(("[store] user", table.user), ("[store] password_file", table.password_file))?;
        Ok(StoreSettings::Etcd(EtcdPlace {
            members,
            root: table.root.unwrap_or_else(|| "waf/".to_owned()),
            authority: table.authority.map(|it| self.at(it)),
            identity: identity.map(|(certificate, key)| (self.at(certificate), self.at(key))),
            user: user.map(|(name, file)| (name, self.at(file))),
        }))
    }

    fn both<A, B>(
        &self,
        (one, first): (&'static str, Option<A>),
        (other, second): (&'static str, Option<B>),
    ) -> Result<Option<(A, B)>, SettingsError> {
        let half = |has, lacks| Err(SettingsError::Half { path: self.path.to_owned(), has, lacks });
        match (first, second) {
            (Some(first), Some(second)) => Ok(Some((first, second))),
            (None, None) => Ok(None),
            (Some(_), None) => half(one, other),
            (None, Some(_)) => half(other, one),
        }
    }
}

#[cfg(test)]
mod tests;
