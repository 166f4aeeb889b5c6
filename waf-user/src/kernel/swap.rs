//! `waf kernel swap`: other programs behind the pinned links, on the maps that are there. Every packet and connection
//! meets the old program or the new one. The old ones stay pinned for `--rollback`.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::{ProgramInfo, SkLookup, Xdp};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Gid, Uid};
use waf_common::names::{PROGRAM_SK_LOOKUP, PROGRAM_XDP};

use super::log::LogLevel;
use super::{KernelError, Pins, load, mount, object, route, syscall};
use crate::config::NodeSettings;

/// sk_lookup first: it serves whatever the XDP program of either version lets through.
const ORDER: [&str; 2] = [PROGRAM_SK_LOOKUP, PROGRAM_XDP];
/// Pins beside the program's own name: the one to come, and the one before.
const NEW: &str = "_new";
const OLD: &str = "_old";

/// What to put behind the links.
#[derive(Clone, Copy, Debug)]
pub enum SwapTo<'a> {
    /// An object, with the log level to give it.
    Object(&'a Path, LogLevel),
    /// The programs before the last swap.
    Previous,
}

/// One program that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    pub name: &'static str,
    pub old_id: u32,
    pub new_id: u32,
}

/// Replaces both programs. Root, in the network namespace that load ran in.
///
/// # Errors
/// See [`KernelError`]; the old programs then still stand behind both links.
pub fn swap(settings: &NodeSettings, to: SwapTo<'_>) -> Result<Vec<Replaced>, KernelError> {
    if !Uid::effective().is_root() {
        return Err(KernelError::NeedsRoot { action: "swapping the kernel half" });
    }
    let interface = settings.interface.as_deref().ok_or(KernelError::NoInterface)?;
    let pins = Pins::of(&settings.name);
    if !pins.link(PROGRAM_XDP).exists() || !pins.link(PROGRAM_SK_LOOKUP).exists() {
        return Err(KernelError::NotLoaded { path: pins.schema() });
    }
    let _alone = lock(&pins)?;
    check_interface(&pins, interface)?;
    finish_interrupted(&pins)?;
    match to {
        SwapTo::Object(path, level) => pin_new(&pins, path, level)?,
        SwapTo::Previous => call_back(&pins)?,
    }
    let result = install(&pins);
    if result.is_err() {
        undo(&pins, to);
    }
    result
}

/// One swap at a time.
fn lock(pins: &Pins) -> Result<Flock<File>, KernelError> {
    let path = pins.node();
    let failed =
        |source| KernelError::Directory { action: "lock", path: path.to_owned(), source };
    let directory = File::open(path).map_err(failed)?;
    Flock::lock(directory, FlockArg::LockExclusive).map_err(|(_, errno)| failed(errno.into()))
}

/// What stands on the interface must be what our link holds: never is a program of somebody else replaced.
fn check_interface(pins: &Pins, interface: &str) -> Result<(), KernelError> {
    let ours = behind_link(pins, PROGRAM_XDP)?;
    match route::interface(interface)?.xdp {
        Some(xdp) if xdp.program_id == ours => Ok(()),
        Some(xdp) => Err(load::foreign(interface, xdp)),
        None => Err(KernelError::Detached { interface: interface.to_owned() }),
    }
}

/// A swap that was killed left its new programs pinned: behind their links already (then its pins are put in order) or not
/// (then they go).
fn finish_interrupted(pins: &Pins) -> Result<(), KernelError> {
    for name in ORDER {
        let new = beside(pins, name, NEW);
        if !new.exists() {
            continue;
        }
        if program_id(&new, name)? == behind_link(pins, name)? {
            rotate(pins, name)?;
        } else {
            remove(&new)?;
        }
    }
    Ok(())
}

/// Loads the object on the pinned maps and pins its programs beside the current ones.
fn pin_new(pins: &Pins, path: &Path, level: LogLevel) -> Result<(), KernelError> {
    let data = object::read(path)?;
    object::check_maps(&data, path, pins)?;
    let mut ebpf = object::load_on_pins(&data, path, level, pins)?;
    let name = PROGRAM_XDP;
    let program: &mut Xdp = object::program_mut(&mut ebpf, name)?;
    program.load().map_err(|source| KernelError::Program { name, source: Box::new(source) })?;
    load::pin(beside(pins, name, NEW), |path| program.pin(path))?;
    let name = PROGRAM_SK_LOOKUP;
    let program: &mut SkLookup = object::program_mut(&mut ebpf, name)?;
    program.load().map_err(|source| KernelError::Program { name, source: Box::new(source) })?;
    load::pin(beside(pins, name, NEW), |path| program.pin(path))
}

/// The programs before the last swap are the ones to come.
fn call_back(pins: &Pins) -> Result<(), KernelError> {
    if let Some(name) = ORDER.into_iter().find(|name| !beside(pins, name, OLD).exists()) {
        return Err(KernelError::NoPrevious { path: beside(pins, name, OLD) });
    }
    ORDER.into_iter().try_for_each(|name| rename(&beside(pins, name, OLD), &beside(pins, name, NEW)))
}

/// Both links, or neither; then the pins follow.
fn install(pins: &Pins) -> Result<Vec<Replaced>, KernelError> {
    let mut replaced = Vec::new();
    for name in ORDER {
        let (old, new) = (pins.program(name), beside(pins, name, NEW));
        let ids = (program_id(&old, name)?, program_id(&new, name)?);
        if let Err(error) = replace(pins, name, &old, &new) {
            for Replaced { name, .. } in replaced {
                // The first error is the one to report; the link holds a program of ours either way.
                let _ = replace(pins, name, &beside(pins, name, NEW), &pins.program(name));
            }
            return Err(error);
        }
        replaced.push(Replaced { name, old_id: ids.0, new_id: ids.1 });
    }
    ORDER.into_iter().try_for_each(|name| rotate(pins, name))?;
    Ok(replaced)
}

fn replace(pins: &Pins, name: &'static str, old: &Path, new: &Path) -> Result<(), KernelError> {
    let open = |path: &Path| {
        syscall::open_pin(path)
            .map_err(|source| KernelError::Open { path: path.to_owned(), source: Box::new(source) })
    };
    let (link, old, new) = (open(&pins.link(name))?, open(old)?, open(new)?);
    syscall::replace_behind_link(link.as_fd(), old.as_fd(), new.as_fd())
        .map_err(|source| KernelError::Replace { name, source })
}

/// The current program becomes the old one, the new one the current.
fn rotate(pins: &Pins, name: &str) -> Result<(), KernelError> {
    let (current, new, old) = (pins.program(name), beside(pins, name, NEW), beside(pins, name, OLD));
    remove(&old)?;
    rename(&current, &old)?;
    rename(&new, &current)
}

/// After a failure before the links: new programs go, those called back become the old ones again.
fn undo(pins: &Pins, to: SwapTo<'_>) {
    for name in ORDER {
        let new = beside(pins, name, NEW);
        // The failure itself is reported; what stays is cleared by the next swap.
        let _ = match to {
            SwapTo::Object(..) => remove(&new),
            SwapTo::Previous => rename(&new, &beside(pins, name, OLD)),
        };
    }
}

fn beside(pins: &Pins, name: &str, suffix: &str) -> std::path::PathBuf {
    pins.program(&format!("{name}{suffix}"))
}

fn behind_link(pins: &Pins, name: &'static str) -> Result<u32, KernelError> {
    let path = pins.link(name);
    let info = PinnedLink::from_pin(&path).and_then(|link| FdLink::from(link).info());
    info.map(|info| info.program_id()).map_err(|source| KernelError::Open { path, source: Box::new(source) })
}

fn program_id(path: &Path, name: &'static str) -> Result<u32, KernelError> {
    let info = ProgramInfo::from_pin(path);
    info.map(|info| info.id()).map_err(|source| KernelError::Program { name, source: Box::new(source) })
}

fn rename(from: &Path, to: &Path) -> Result<(), KernelError> {
    fs::rename(from, to)
        .map_err(|source| KernelError::Directory { action: "rename", path: from.to_owned(), source })?;
    mount::own(to, Gid::from_raw(0), load::ROOT_ONLY_MODE)
}

fn remove(path: &Path) -> Result<(), KernelError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(KernelError::Directory { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
