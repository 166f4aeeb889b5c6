//! Clears away what runs left behind that were killed: processes, mounts, pins, namespaces and folders of every run
//! whose lock is free. What a live run uses, or what is not named as ours, is never touched.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use super::daemon::start_ticks;
use super::netns;
use super::run::{self, FOLDER_PREFIX, PIDS, UNFINISHED};
use crate::say;

/// Below it each node has its pins.
pub const RUN_DIR: &str = "/run/waf";
/// A folder whose lock was not taken within this time never will be.
const UNFINISHED_AGE: Duration = Duration::from_secs(60);

/// What was found and cleared.
#[derive(Debug, Default)]
pub struct Swept {
    pub processes: usize,
    pub namespaces: usize,
    pub nodes: usize,
    pub folders: usize,
}

impl Swept {
    pub fn is_nothing(&self) -> bool {
        self.processes + self.namespaces + self.nodes + self.folders == 0
    }
}

/// Sweeps, and says so in one line where there was something. Needs root.
///
/// # Errors
/// Something of ours cannot be removed.
pub fn sweep() -> Result<()> {
    let swept = clear()?;
    if !swept.is_nothing() {
        say!(
            "lab: cleared away what killed runs left: {} processes, {} namespaces, {} nodes' pins, {} folders",
            swept.processes,
            swept.namespaces,
            swept.nodes,
            swept.folders
        );
    }
    Ok(())
}

fn clear() -> Result<Swept> {
    let mut swept = Swept::default();
    // Names before locks: a run takes its lock before it gives a name, so every name here of a live run finds its lock.
    let (nodes, namespaces) = (nodes(), netns::names());
    let mut live = Vec::new();
    let mut dead = Vec::new();
    for folder in folders() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let id = name.trim_start_matches(FOLDER_PREFIX);
        if let Some(id) = id.strip_suffix(UNFINISHED) {
            match is_older(&folder, UNFINISHED_AGE) {
                true => dead.push((folder, None)),
                false => live.push(id.to_owned()),
            }
        } else {
            match run::lock(&folder) {
                // Held until the folder is gone: of two sweeps one does the work.
                Ok(lock) => dead.push((folder, Some(lock))),
                Err(_) => live.push(id.to_owned()),
            }
        }
    }
    for (folder, _) in &dead {
        swept.processes += end_processes(folder);
    }
    for node in nodes {
        let name = node.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_left(&name, &live) {
            remove_pins(&node)?;
            swept.nodes += 1;
        }
    }
    for name in namespaces {
        if is_left(&name, &live) {
            netns::delete(&name)?;
            swept.namespaces += 1;
        }
    }
    for (folder, _lock) in dead {
        fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
        swept.folders += 1;
    }
    Ok(swept)
}

/// Whether a name of at least two words (`a1-run…`, `waf-run…-client`) bears the id of a run that is not live, or the
/// word of a process that is gone.
fn is_left(name: &str, live: &[String]) -> bool {
    name.split('-').skip(1).any(|word| {
        let of_run = run::is_id(word) && !live.iter().any(|id| id == word);
        of_run || netns::owner(word).is_some_and(|pid| start_ticks(pid).is_none())
    })
}

/// Takes a node's pins away: unmounts its bpffs, which drops programs, links and maps, and removes the folders.
///
/// # Errors
/// Busy, or not ours to remove.
pub fn remove_pins(node: &Path) -> Result<()> {
    let mount = node.join("bpf");
    loop {
        match umount2(&mount, MntFlags::MNT_DETACH) {
            Ok(()) => {}
            Err(Errno::EINVAL | Errno::ENOENT) => break,
            Err(error) => return Err(error).with_context(|| format!("unmount {}", mount.display())),
        }
    }
    match fs::remove_dir_all(node) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", node.display()))
        }
        _ => Ok(()),
    }
}

/// The folders of nodes below /run/waf.
pub fn nodes() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(RUN_DIR) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

fn folders() -> Vec<PathBuf> {
    let own = Uid::effective();
    let mut folders = Vec::new();
    for parent in run::parents() {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        let ours = entries.flatten().filter(|entry| {
            // Another user may have laid a folder of this name in /tmp: that one is none of ours.
            let is_own = entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == own.as_raw());
            is_own && entry.file_name().to_string_lossy().starts_with(FOLDER_PREFIX)
        });
        folders.extend(ours.map(|entry| entry.path()));
    }
    folders.sort();
    folders
}

fn is_older(folder: &Path, age: Duration) -> bool {
    let modified = folder.metadata().and_then(|meta| meta.modified()).ok();
    modified.and_then(|time| time.elapsed().ok()).is_some_and(|elapsed| elapsed > age)
}

/// Kills the recorded processes that are still the ones recorded; counts them.
fn end_processes(folder: &Path) -> usize {
    recorded(folder).into_iter().filter(|pid| kill(Pid::from_raw(*pid), Signal::SIGKILL).is_ok()).count()
}

/// Processes of a run folder that are still alive.
pub fn recorded(folder: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(folder.join(PIDS)) else { return Vec::new() };
    entries.flatten().filter_map(|entry| live_process(&entry.path())).collect()
}

fn live_process(record: &Path) -> Option<i32> {
    let text = fs::read_to_string(record).ok()?;
    let (pid, started) = text.trim().split_once(' ')?;
    let pid: u32 = pid.parse().ok()?;
    let is_same = start_ticks(pid)? == started.parse::<u64>().ok()?;
    is_same.then_some(i32::try_from(pid).ok()?)
}

#[cfg(test)]
mod tests;
