//! The API's certificate, from files or from the fleet's own authority, made or read anew while the API is served.

use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::ServeError;
use crate::control::authority::Authority;
use crate::control::settings::{ApiIdentity, ApiSettings};
use crate::model::Wall;
use crate::secret::Secret;
use crate::tls::{Identity, PlainAcceptor};

/// # Errors
/// The files cannot be read or do not fit; the authority cannot issue.
pub(super) fn acceptor(
    settings: &ApiSettings,
    authority: &Authority,
    now: Wall,
) -> Result<PlainAcceptor, ServeError> {
    let identity = match &settings.identity {
        ApiIdentity::Files { certificate, key } => {
            let key = Secret::new(read_secret(key)?);
            Identity::from_pem(&read(certificate)?, key.expose())?
        }
        ApiIdentity::Own { names } => {
            let issued = authority.listener_for(&all(names, settings.listen.ip()), now)?;
            Identity::from_pem(issued.chain_pem.as_bytes(), issued.key_pem.as_bytes())?
        }
    };
    Ok(PlainAcceptor::new(&identity)?)
}

/// The address that is listened on is a name, too, where it is one.
fn all(names: &[String], listen: IpAddr) -> Vec<String> {
    let mut all = names.to_vec();
    let listen_text = listen.to_string();
    if !listen.is_unspecified() && !all.contains(&listen_text) {
        all.push(listen_text);
    }
    all
}

fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    std::fs::read(path).map_err(|source| ServeError::Read { path: path.to_owned(), source })
}

fn read_secret(path: &Path) -> Result<Vec<u8>, ServeError> {
    let metadata =
        std::fs::metadata(path).map_err(|source| ServeError::Read { path: path.to_owned(), source })?;
    // A group may be meant to share it: who renews it, and we.
    if metadata.mode() & 0o007 != 0 {
        return Err(ServeError::Open { path: path.to_owned() });
    }
    read(path)
}
