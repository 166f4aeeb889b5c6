//! An export -> the empty store that control.toml names, before any control process opens it.

use std::path::Path;

use super::{ServeError, first, store};
use crate::control::environment::Revision;
use crate::control::export;
use crate::control::settings::ControlSettings;

/// What an import has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    pub revision: Revision,
    pub sites: usize,
    pub environments: usize,
    pub nodes: usize,
}

/// Reads the file at `path`. `progress` hears of entries written, and of how many there are.
///
/// # Errors
/// The file is no export, the keys do not open its secrets, or the store is not empty.
pub fn import(
    settings: &ControlSettings,
    path: &Path,
    progress: impl FnMut(usize, usize),
) -> Result<Imported, ServeError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ServeError::Read { path: path.to_owned(), source })?;
    let fail = |source| ServeError::Import { path: path.to_owned(), source };
    let runtime = tokio::runtime::Runtime::new().map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        first::data_dir(settings)?;
        let store = store::open(settings).await?;
        let keys = first::key_place(settings).load()?;
        let checked = export::check(&keys, &text).map_err(fail)?;
        export::import(&*store, &checked, progress).await.map_err(fail)?;
        let view = &checked.view;
        Ok(Imported {
            revision: view.revision(),
            sites: view.state.sites().len(),
            environments: view.state.environments().len(),
            nodes: view.inventory.nodes().len(),
        })
    })
}
