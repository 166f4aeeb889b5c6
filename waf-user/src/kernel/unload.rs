//! `waf kernel unload`: takes away all that load made, whole or half, and nothing else.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;

use nix::unistd::Uid;
use waf_common::names;

use super::{KernelError, Pins, loaded, mount, route};
use crate::config::NodeSettings;

/// Socket of the node in its `state_dir`.
const CONTROL_SOCKET: &str = "control.sock";

/// Whether to unload under a running node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    No,
    Yes,
}

/// Detaches, removes routes and pins, unmounts, removes directories. Root, in the network namespace that load ran in.
///
/// # Errors
/// A node still answers, or nothing is loaded; else what could not be removed, after all else has been.
pub fn unload(settings: &NodeSettings, force: Force) -> Result<(), KernelError> {
    if !Uid::effective().is_root() {
        return Err(KernelError::NeedsRoot { action: "unloading the kernel half" });
    }
    let pins = Pins::of(&settings.name);
    if !mount::is_present(&pins) {
        return Err(KernelError::NotLoaded { path: pins.schema() });
    }
    let socket = settings.state_dir.join(CONTROL_SOCKET);
    if force == Force::No && UnixStream::connect(&socket).is_ok() {
        return Err(KernelError::NodeRunning { socket });
    }
    // Those of node.toml too: what an interrupted load left need not be readable.
    let mut prefixes = settings.service_prefixes.clone();
    prefixes.extend(loaded::prefixes(&pins).unwrap_or_default().into_iter().map(|(prefix, _)| prefix));
    // XDP first: what it still let through then meets a stack that refuses it, not one that takes it for its own.
    let unpinned = unpin(&pins, names::PROGRAM_XDP).and(unpin(&pins, names::PROGRAM_SK_LOOKUP));
    let routes = route::remove(&prefixes);
    let removed = mount::remove(&pins);
    unpinned.and(routes).and(removed)
}

/// The pin is the link's last reference: without it the program is detached.
fn unpin(pins: &Pins, name: &str) -> Result<(), KernelError> {
    let path = pins.link(name);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(KernelError::Directory { action: "remove", path, source })
        }
        _ => Ok(()),
    }
}
