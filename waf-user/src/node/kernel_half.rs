//! The kernel half as a node finds it: loaded by root, for this configuration, and still attached; else there is no way on.

use std::path::Path;

use super::NodeError;
use crate::config::NodeSettings;
use crate::kernel::{Maps, check_loaded};

/// The kernel half as the node uses it.
pub(super) struct KernelHalf {
    pub maps: Maps,
    /// `native` or `generic`.
    pub xdp_mode: &'static str,
}

/// The kernel half, where the settings ask for it. Before there is a runtime: asking the kernel makes one for itself.
///
/// # Errors
/// It is not loaded, not for us, of another version, or no longer attached.
pub(super) fn open_kernel(settings: &NodeSettings, path: &Path) -> Result<Option<KernelHalf>, NodeError> {
    if settings.interface.is_none() {
        return Ok(None);
    }
    let maps = open_maps(settings, path)?;
    let xdp_mode = check_loaded(settings)
        .map_err(|source| NodeError::Loaded { config: path.to_owned(), source: Box::new(source) })?;
    Ok(Some(KernelHalf { maps, xdp_mode }))
}

/// The maps alone, once more.
///
/// # Errors
/// They are not there, not ours to open, or of another version.
pub(super) fn open_maps(settings: &NodeSettings, path: &Path) -> Result<Maps, NodeError> {
    Maps::open(&settings.name)
        .map_err(|source| NodeError::OpenMaps { config: path.to_owned(), source: Box::new(source) })
}
