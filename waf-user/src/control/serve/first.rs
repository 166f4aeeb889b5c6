//! What a data directory holds besides the store: the keys of secrets, the first operator's token, the authority's
//! certificate. Made where they are missing, so that a control plane begins by being started.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::ServeError;
use crate::control::audit::record::Actor;
use crate::control::authority::Authority;
use crate::control::settings::ControlSettings;
use crate::control::store::Store;
use crate::control::token::{Role, TokenBook, TokenText, Wanted};
use crate::model::Wall;
use crate::secret::{KeyPlace, KeyRing};

/// The first operator's token, until there is another way in.
pub const OPERATOR_TOKEN: &str = "operator.token";
/// What clients of the API and joining nodes may trust.
pub const AUTHORITY: &str = "authority.pem";

/// # Errors
/// It cannot be made.
pub(super) fn data_dir(settings: &ControlSettings) -> Result<(), ServeError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&settings.data_dir);
    made.map_err(|source| ServeError::DataDir { path: settings.data_dir.clone(), source })
}

/// The keys that seal; made only for a store that has nothing sealed yet.
///
/// # Errors
/// The file is missing or cannot be used; the store's.
pub(super) async fn keys(settings: &ControlSettings, store: &dyn Store) -> Result<KeyRing, ServeError> {
    let place = key_place(settings);
    let is_new = !Authority::is_there(store).await?;
    Ok(if is_new { place.load_or_make()? } else { place.load()? })
}

pub(super) fn key_place(settings: &ControlSettings) -> KeyPlace {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    let credentials = credentials.as_deref().map(Path::new);
    KeyPlace::find(settings.key_file.as_deref(), credentials, &settings.data_dir)
}

/// A token for an operator, where there is none that is good: its file first, so that no token is lost on the way.
///
/// # Errors
/// The file cannot be written; the store's.
pub(super) async fn operator_token(
    settings: &ControlSettings,
    tokens: &TokenBook,
    now: Wall,
) -> Result<(), ServeError> {
    let is_good = |token: &crate::control::token::Token| {
        token.role == Role::Operator && token.expires.is_none_or(|expires| expires > now)
    };
    if tokens.list().await?.iter().any(is_good) {
        return Ok(());
    }
    let text = TokenText::random()?;
    let path = settings.data_dir.join(OPERATOR_TOKEN);
    write(&path, 0o600, &[text.reveal(), "\n"])
        .map_err(|source| ServeError::Write { path: path.clone(), source })?;
    let wanted = Wanted { role: Role::Operator, note: OPERATOR_TOKEN, expires: None };
    tokens.put(&text, wanted, &[], (&Actor::System, now)).await?;
    tracing::info!(path = %path.display(), "no operator had a token: there is one now");
    Ok(())
}

/// The authority's certificate, for whoever is to trust it.
///
/// # Errors
/// The file cannot be written.
pub(super) fn authority(settings: &ControlSettings, authority: &Authority) -> Result<(), ServeError> {
    let path = settings.data_dir.join(AUTHORITY);
    let pem = authority.certificate_pem();
    if std::fs::read(&path).is_ok_and(|there| there == pem.as_bytes()) {
        return Ok(());
    }
    write(&path, 0o644, &[pem]).map_err(|source| ServeError::Write { path, source })
}

/// In place of what is there, whole or not at all.
fn write(path: &Path, mode: u32, parts: &[&str]) -> io::Result<()> {
    let beside = path.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    parts.iter().try_for_each(|part| file.write_all(part.as_bytes()))?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}
