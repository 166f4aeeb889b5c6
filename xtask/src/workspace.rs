//! Where things lie in the source tree and below target/, and how to call the inner cargo. Runs nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables which `cargo run` sets for xtask and which would mislead an inner cargo or another compiler.
const INHERITED: [&str; 12] = [
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "LD_LIBRARY_PATH",
    "MAKEFLAGS",
    "OUT_DIR",
];

/// The folder of the workspace's Cargo.toml.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// cargo's target folder.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Tools which `setup` installs for this workspace alone.
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// cargo of the toolchain that runs us, in the workspace's folder, without what it would inherit by mistake.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Where we look for what it builds, whatever a configuration of cargo says.
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", target());
    clean(&mut cargo);
    cargo
}

/// Takes away what `cargo run` has set for us.
pub fn clean(command: &mut Command) {
    for name in INHERITED {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_BIN_EXE_"))
        {
            command.env_remove(name);
        }
    }
}

/// Test data that is too large for the tree, beside it where there is any.
pub fn shared() -> Option<PathBuf> {
    let beside = root().join("../shared");
    let given = std::env::var_os("WAF_SHARED").map(PathBuf::from);
    given
        .into_iter()
        .chain([beside])
        .find_map(|folder| folder.canonicalize().ok().filter(|folder| folder.is_dir()))
}
