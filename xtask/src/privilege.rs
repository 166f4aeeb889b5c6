//! Root where it is needed: are we root, and the same command by sudo. Only finished binaries are ever run so, never
//! cargo.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Result, bail};
use nix::unistd::Uid;

use crate::process;
use crate::say;

/// Variables that a re-run under sudo is given: sudo clears the rest.
const PASSED: [&str; 6] = ["CARGO_TARGET_DIR", "TMPDIR", "TERM", "RUST_BACKTRACE", "WAF_SHARED", "LANG"];

pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Whether [`command`] can work here: we are root, or there is a sudo to ask.
pub fn is_reachable() -> bool {
    is_root() || process::find("sudo").is_some()
}

/// `program`, run as root: as it is for root, by sudo for others.
///
/// # Errors
/// Not root, and no sudo here.
pub fn command(program: impl AsRef<OsStr>) -> Result<Command> {
    if is_root() {
        return Ok(process::command(program));
    }
    let Some(sudo) = process::find("sudo") else {
        bail!("this needs root, and there is no sudo on this machine: run it as root");
    };
    let mut command = Command::new(sudo);
    command.arg("--").arg(process::command(program).get_program());
    Ok(command)
}

/// Replaces this process by itself under sudo, with other arguments. `why` completes "sudo: ".
///
/// # Errors
/// sudo is not here or cannot be started; on success it does not return.
pub fn rerun(why: &str, arguments: &[&OsStr]) -> Result<()> {
    let mut command = command("env")?;
    say!("sudo: {why}");
    for name in PASSED {
        if let Some(value) = std::env::var_os(name) {
            let mut pair = std::ffi::OsString::from(name);
            pair.push("=");
            pair.push(value);
            command.arg(pair);
        }
    }
    command.arg(std::env::current_exe()?).args(arguments);
    let error = command.exec();
    bail!("start {}: {error}", process::line(&command))
}
