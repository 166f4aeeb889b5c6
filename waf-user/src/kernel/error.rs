//! What went wrong with the kernel half: what we were doing with which object, and what a person can do about it.

use std::error::Error;
use std::path::PathBuf;

use ipnet::IpNet;

/// A cause of whatever library.
type Cause = Box<dyn Error + Send + Sync>;

/// Every way in which the kernel half fails to be loaded, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    #[error("needs root: {action}; run it with sudo")]
    NeedsRoot { action: &'static str },
    #[error("this is kernel {release}: the filter needs 5.11 or later, and is tried on 6.1 and later")]
    OldKernel { release: String },
    #[error("the configuration names no interface: without [node] interface there is no kernel half")]
    NoInterface,
    #[error("interface {interface} is not there in this network namespace")]
    UnknownInterface { interface: String },
    #[error("user {user:?} of [node] user is unknown on this machine")]
    UnknownUser { user: String },
    #[error(
        "{interface} already has an XDP program that is not ours: {program} (id {id}, {mode}); whoever attached it must \
         take it away, for example by `ip link set dev {interface} {off} off`"
    )]
    Foreign { interface: String, program: String, id: u32, mode: &'static str, off: &'static str },
    #[error("already loaded: {path} is there; swap it or unload first, by `waf kernel unload --config F`")]
    AlreadyLoaded { path: PathBuf },
    #[error("{path} holds what is left of an interrupted load; clear it by `waf kernel unload --config F`")]
    LeftOver { path: PathBuf },
    #[error("a node answers on {socket}: stop it first, or unload under it with --force")]
    NodeRunning { socket: PathBuf },
    #[error("nothing is loaded at {path}; `waf kernel load --config F` does it")]
    NotLoaded { path: PathBuf },
    #[error("cannot load object {path}")]
    Object { path: PathBuf, source: Cause },
    #[error("object has no {what} {name}: it is not the kernel half of this version")]
    Missing { what: &'static str, name: &'static str },
    #[error("cannot load program {name}")]
    Program { name: &'static str, source: Cause },
    #[error(
        "map {name} is pinned with {what} {found}, the object wants {expected}: it needs another schema than v{schema}; \
         unload and load it, a swap cannot carry entries over"
    )]
    NewSchema { name: &'static str, what: &'static str, found: u32, expected: u32, schema: u32 },
    #[error("no earlier programs to go back to: {path} is not there")]
    NoPrevious { path: PathBuf },
    #[error("{interface} has lost its XDP program: unload and load again")]
    Detached { interface: String },
    #[error("cannot replace {name} behind its link")]
    Replace { name: &'static str, source: std::io::Error },
    #[error("cannot attach {name} to {target}")]
    Attach { name: &'static str, target: String, source: Cause },
    #[error("cannot pin at {path}")]
    Pin { path: PathBuf, source: Cause },
    #[error("cannot {action} {path}")]
    Directory { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot {action} local route {prefix}")]
    Route { action: &'static str, prefix: IpNet, source: Cause },
    #[error("cannot {action} over netlink")]
    Netlink { action: &'static str, source: Cause },
    #[error("cannot open map {path}: `waf kernel load --config F` pins it for [node] user")]
    Open { path: PathBuf, source: Cause },
    #[error("map {path} has {what} {found}, this version wants {expected}: unload and load again")]
    Shape { path: PathBuf, what: &'static str, found: u32, expected: u32 },
    #[error("cannot {action} map {name}")]
    Map { action: &'static str, name: &'static str, source: Cause },
    #[error("block list is full: {max} entries")]
    Full { max: u32 },
}

impl KernelError {
    /// A failed operation on a map.
    pub(super) fn map(
        action: &'static str,
        name: &'static str,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self::Map { action, name, source: Box::new(source) }
    }
}
