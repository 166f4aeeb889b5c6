//! A bpffs of the node's own, and the directories of pins in it with their owners. `/sys/fs/bpf` will not do: systemd
//! mounts it 0700, and the node is no root.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{Gid, Uid, User, chown};

use super::{KernelError, Pins};

/// Whether anything of a node's kernel half is there, whole or not.
pub fn is_present(pins: &Pins) -> bool {
    pins.mount().exists()
}

/// The primary group of a user: it may read and write the map pins.
///
/// # Errors
/// The user is unknown.
pub fn group_of(user: &str) -> Result<Gid, KernelError> {
    match User::from_name(user) {
        Ok(Some(found)) => Ok(found.gid),
        _ => Err(KernelError::UnknownUser { user: user.to_owned() }),
    }
}

/// Mounts the bpffs and makes the directories: `bpf/`, `v<schema>/` and `maps/` for the group, the others for root.
///
/// # Errors
/// What could not be made.
pub fn make(pins: &Pins, group: Gid) -> Result<(), KernelError> {
    let run = pins.node().parent().unwrap_or(pins.node());
    for directory in [run, pins.node(), &pins.mount()] {
        make_directory(directory, 0o755).map_err(directory_error("make", directory))?;
    }
    let target = pins.mount();
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("bpf"), &target, Some("bpf"), flags, Some("mode=0750"))
        .map_err(io::Error::from)
        .map_err(directory_error("mount a bpffs on", &target))?;
    own(&target, group, 0o750)?;
    for (directory, group, mode) in [
        (pins.schema(), group, 0o750),
        (pins.maps(), group, 0o750),
        (pins.programs(), Gid::from_raw(0), 0o700),
        (pins.links(), Gid::from_raw(0), 0o700),
    ] {
        make_directory(&directory, mode).map_err(directory_error("make", &directory))?;
        own(&directory, group, mode)?;
    }
    Ok(())
}

/// Gives a file or directory to root and the group.
///
/// # Errors
/// It cannot be done, for example because the path is gone.
pub fn own(path: &Path, group: Gid, mode: u32) -> Result<(), KernelError> {
    chown(path, Some(Uid::from_raw(0)), Some(group))
        .map_err(io::Error::from)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(directory_error("set owner and mode of", path))
}

/// Removes all pins, unmounts and removes the directories; what is not there is no error, and other files of the node's
/// directory stay.
///
/// # Errors
/// What could not be removed.
pub fn remove(pins: &Pins) -> Result<(), KernelError> {
    let target = pins.mount();
    if is_mount_point(&target) {
        for schema in entries(&target) {
            if schema.is_dir() {
                fs::remove_dir_all(&schema).map_err(directory_error("remove", &schema))?;
            }
        }
        umount2(&target, MntFlags::MNT_DETACH)
            .map_err(io::Error::from)
            .map_err(directory_error("unmount", &target))?;
    }
    let run = pins.node().parent().unwrap_or(pins.node());
    for directory in [&target, pins.node(), run] {
        match fs::remove_dir(directory) {
            Err(source)
                if !matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) =>
            {
                return Err(directory_error("remove", directory)(source));
            }
            _ => {}
        }
    }
    Ok(())
}

fn entries(directory: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

/// A mount point lies on another device than the directory above it.
fn is_mount_point(path: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    path.parent().is_some_and(|parent| device(path).is_some() && device(path) != device(parent))
}

/// One that is there already keeps its mode; a new one gets the whole of it, whatever the caller's umask.
fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

fn directory_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KernelError + use<> {
    let path = path.to_owned();
    move |source| KernelError::Directory { action, path, source }
}
