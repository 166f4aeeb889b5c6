//! The table [store] -> the store.

use std::sync::Arc;

use super::ServeError;
use crate::control::settings::{ControlSettings, StoreSettings};
use crate::control::store::{SqliteStore, Store};

/// # Errors
/// It cannot be opened or reached, or this `waf` has no client for it.
pub(super) async fn open(settings: &ControlSettings) -> Result<Arc<dyn Store>, ServeError> {
    match &settings.store {
        StoreSettings::Sqlite => Ok(Arc::new(SqliteStore::open(&settings.data_dir)?)),
        #[cfg(feature = "etcd")]
        StoreSettings::Etcd(place) => etcd::open(place).await,
        #[cfg(not(feature = "etcd"))]
        StoreSettings::Etcd(_) => Err(ServeError::WithoutEtcd),
    }
}

#[cfg(feature = "etcd")]
mod etcd {
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::sync::Arc;

    use crate::control::serve::ServeError;
    use crate::control::settings::EtcdPlace;
    use crate::control::store::{EtcdIdentity, EtcdSettings, EtcdStore, EtcdUser, Store};
    use crate::secret::Secret;

    pub async fn open(place: &EtcdPlace) -> Result<Arc<dyn Store>, ServeError> {
        let identity = match &place.identity {
            Some((chain, key)) => {
                Some(EtcdIdentity { chain_pem: read(chain)?, key_pem: Secret::new(read_secret(key)?) })
            }
            None => None,
        };
        let user = match &place.user {
            Some((name, file)) => {
                let password = Secret::new(read_secret(file)?);
                let password = String::from_utf8_lossy(password.expose()).trim_end().to_owned();
                Some(EtcdUser { name: name.clone(), password: Secret::new(password) })
            }
            None => None,
        };
        let settings = EtcdSettings {
            endpoints: place.members.clone(),
            root: place.root.clone(),
            authority_pem: place.authority.as_deref().map(read).transpose()?,
            identity,
            user,
        };
        Ok(Arc::new(EtcdStore::connect(&settings).await?))
    }

    fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
        std::fs::read(path).map_err(|source| ServeError::Read { path: path.to_owned(), source })
    }

    fn read_secret(path: &Path) -> Result<Vec<u8>, ServeError> {
        let metadata =
            std::fs::metadata(path).map_err(|source| ServeError::Read { path: path.to_owned(), source })?;
        if metadata.mode() & 0o077 != 0 {
            return Err(ServeError::Open { path: path.to_owned() });
        }
        read(path)
    }
}
