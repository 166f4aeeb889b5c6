//! apt on Debian and its descendants: install packages, or only fetch and unpack them. The package lists are renewed
//! once, when a first try fails.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::{privilege, process, say};

pub fn is_here() -> bool {
    process::find("apt-get").is_some() && process::find("dpkg").is_some()
}

/// Installs packages, by sudo for an ordinary user.
///
/// # Errors
/// apt refuses also with renewed lists.
pub fn install(packages: &[&str]) -> Result<()> {
    if !privilege::is_root() {
        say!("sudo: apt-get install {}: only root may install packages", packages.join(" "));
    }
    let mut first = privilege::command("env")?;
    first.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--quiet"]);
    first.arg("--no-install-recommends").args(packages);
    if process::run(&mut first).is_ok() {
        return Ok(());
    }
    update()?;
    process::run(&mut first)
}

/// Fetches a package and unpacks it below `folder`, touching nothing else on the machine.
///
/// # Errors
/// apt does not find it also with renewed lists, or it cannot be unpacked.
pub fn unpack(package: &str, folder: &Path) -> Result<()> {
    let packages = folder.join("packages");
    std::fs::create_dir_all(&packages).with_context(|| format!("make {}", packages.display()))?;
    let mut fetch = Command::new("apt-get");
    fetch.args(["download", "--quiet", package]).current_dir(&packages);
    if process::run(&mut fetch).is_err() {
        update()?;
        process::run(&mut fetch)?;
    }
    let prefix = format!("{package}_");
    let entries = std::fs::read_dir(&packages).with_context(|| format!("list {}", packages.display()))?;
    let fetched = entries
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .ok_or_else(|| anyhow!("apt-get download left no {package} in {}", packages.display()))?;
    process::run(Command::new("dpkg").arg("-x").arg(fetched.path()).arg(folder))
}

fn update() -> Result<()> {
    say!("setup: renewing apt's package lists");
    process::run(privilege::command("apt-get")?.args(["update", "--quiet"]))
        .context("renew apt's package lists")
}
