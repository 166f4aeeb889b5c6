//! etcd, for the tests of the control plane's store: the machine's own, or one unpacked below target/tools so that no
//! service starts. The tests look in the same two places.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::apt;
use crate::{process, workspace};

/// The package that holds the server, and where it lies in it. It wants nothing but the C library.
const PACKAGE: &str = "etcd-server";
const INSIDE: &str = "usr/bin/etcd";

/// An etcd that runs.
pub fn etcd() -> Option<PathBuf> {
    [Some(unpacked()), process::find("etcd")].into_iter().flatten().find(|file| runs(file))
}

/// Unpacks etcd below target/tools/etcd.
///
/// # Errors
/// apt has none, or it does not run here.
pub fn install() -> Result<()> {
    apt::unpack(PACKAGE, &folder())?;
    if !runs(&unpacked()) {
        bail!("the unpacked {} does not run here", unpacked().display());
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace::tools().join("etcd")
}

fn unpacked() -> PathBuf {
    folder().join(INSIDE)
}

fn runs(file: &Path) -> bool {
    file.is_file() && process::run(Command::new(file).arg("--version")).is_ok()
}
