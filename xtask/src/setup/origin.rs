//! nginx, the lab's real origin: the machine's own, or one unpacked below target/tools so that no service starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::apt;
use crate::{process, say, workspace};

/// Packages that hold the binary: Debian's, then Ubuntu's.
const PACKAGES: [&str; 2] = ["nginx", "nginx-core"];
/// Libraries it may want, and their packages. Installing these starts nothing either.
const LIBRARIES: [(&str, &str); 4] = [
    ("libpcre2-8.so", "libpcre2-8-0"),
    ("libssl.so.3", "libssl3"),
    ("libcrypt.so", "libcrypt1"),
    ("libz.so", "zlib1g"),
];

/// An nginx that runs.
pub fn nginx() -> Option<PathBuf> {
    [Some(unpacked()), process::find("nginx")].into_iter().flatten().find(|file| runs(file))
}

/// Unpacks nginx below target/tools/nginx.
///
/// # Errors
/// apt has none, or a library is missing that we do not know the package of.
pub fn install() -> Result<()> {
    for package in PACKAGES {
        if !unpacked().exists() {
            apt::unpack(package, &folder())?;
        }
    }
    if runs(&unpacked()) {
        return Ok(());
    }
    let wanted = process::text(Command::new("ldd").arg(unpacked()))?;
    let missing: Vec<&str> = wanted.lines().filter(|line| line.contains("not found")).collect();
    let packages: Vec<&str> = LIBRARIES
        .iter()
        .filter(|(library, _)| missing.iter().any(|line| line.contains(library)))
        .map(|(_, package)| *package)
        .collect();
    if packages.is_empty() {
        bail!("the unpacked nginx does not run here: {}", missing.join("; "));
    }
    say!("setup: installing {}: libraries of nginx", packages.join(" "));
    apt::install(&packages)
}

fn folder() -> PathBuf {
    workspace::tools().join("nginx")
}

fn unpacked() -> PathBuf {
    folder().join("usr/sbin/nginx")
}

fn runs(file: &Path) -> bool {
    file.is_file() && process::run(Command::new(file).arg("-v")).is_ok()
}
