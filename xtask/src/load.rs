//! `cargo xtask load` and `unload`: call `waf kernel` as root.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::build::{self, Profile};
use crate::{privilege, process, say};

/// The binary that was built last in either profile; nothing is built here.
///
/// # Errors
/// None was built.
pub fn built() -> Result<build::Built> {
    let candidates = [build::paths(Profile::Dev), build::paths(Profile::Release)];
    let age = |built: &build::Built| built.waf.metadata().and_then(|meta| meta.modified()).ok();
    match candidates.into_iter().filter(|built| built.waf.is_file()).max_by_key(age) {
        Some(built) => Ok(built),
        None => bail!("waf is not built: cargo xtask build"),
    }
}

/// Loads the kernel half of a node as its node.toml says.
///
/// # Errors
/// Not built, no root, or `waf kernel load` refuses.
pub fn load(config: &Path, object: Option<&Path>) -> Result<()> {
    let mut words = vec!["--config".as_ref(), config.as_os_str()];
    if let Some(object) = object {
        words.extend(["--object".as_ref(), object.as_os_str()]);
    }
    kernel("load", "loading BPF programs needs root", &words)
}

/// Takes the kernel half of a node away again.
///
/// # Errors
/// Not built, no root, or `waf kernel unload` refuses.
pub fn unload(config: &Path, force: bool) -> Result<()> {
    let mut words = vec!["--config".as_ref(), config.as_os_str()];
    if force {
        words.push("--force".as_ref());
    }
    kernel("unload", "detaching BPF programs needs root", &words)
}

fn kernel(verb: &str, why: &str, words: &[&std::ffi::OsStr]) -> Result<()> {
    let waf = built()?.waf;
    let mut command = privilege::command(&waf)?;
    if !privilege::is_root() {
        say!("sudo: {why}");
    }
    process::show(command.args(["kernel", verb]).args(words)).with_context(|| format!("waf kernel {verb}"))
}
