//! One run of the lab: its id, which is part of every name it uses, and its folder, whose lock says that it lives.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::statvfs::{FsFlags, statvfs};

use crate::complain;
use crate::process;

/// Where a run's folder may lie, the preferred first. Never TMPDIR: a sweep must find the lock of every live run,
/// whatever the environment that one was started in.
const PARENTS: [&str; 4] = ["/tmp", "/var/tmp", "/run", "/opt"];
/// Run folders are called `<FOLDER_PREFIX><id>`.
pub const FOLDER_PREFIX: &str = "waf-lab-";
/// A folder bears this until its lock is held.
pub const UNFINISHED: &str = ".new";
/// The lock file in a run folder.
pub const LOCK: &str = "lock";
/// One file for each process that outlives a call, in a run folder.
pub const PIDS: &str = "pids";
/// A run id begins so: no word that people give to nodes is mistaken for one.
const ID_PREFIX: &str = "run";
/// Digits of a run id: short enough for namespace and node names, long enough not to meet again.
const ID_DIGITS: usize = 8;

/// A live run. On drop the folder goes.
#[derive(Debug)]
pub struct Run {
    id: String,
    folder: PathBuf,
    /// Held as long as the run lives; the kernel frees it however we end.
    _lock: Flock<File>,
}

impl Run {
    /// Makes the folder and takes its lock.
    ///
    /// # Errors
    /// No temporary folder is fit for programs of other users.
    pub fn begin() -> Result<Self> {
        let id = new_id();
        let parents = parents();
        let Some(parent) = parents.first() else {
            bail!("none of {} lets other users run programs", PARENTS.join(", "));
        };
        let folder = parent.join(format!("{FOLDER_PREFIX}{id}"));
        // A sweep sees the folder under its name only with the lock held.
        let unfinished = parent.join(format!("{FOLDER_PREFIX}{id}{UNFINISHED}"));
        make_folder(&unfinished, 0o755)?;
        let lock = lock(&unfinished).context("take the lock of a new run")?;
        make_folder(&unfinished.join(PIDS), 0o755)?;
        fs::rename(&unfinished, &folder).with_context(|| format!("name {}", folder.display()))?;
        Ok(Self { id, folder, _lock: lock })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies a file into the run folder, readable by all, with its right to be run.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn copy(&self, from: &Path, name: &str) -> Result<PathBuf> {
        let to = self.folder.join(name);
        // By a program of its own: while we write, another thread may fork, and its child would hold the copy open
        // for writing; running it then fails ("text file busy").
        process::run(process::command("cp").arg("--").arg(from).arg(&to))?;
        let executable = from.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o100 != 0);
        set_mode(&to, if executable { 0o755 } else { 0o644 })?;
        Ok(to)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            complain!("warning: remove {}: {error}", self.folder.display());
        }
    }
}

/// Takes the lock of a run folder, if nobody has it.
///
/// # Errors
/// Somebody has it, or it cannot be opened.
pub fn lock(folder: &Path) -> Result<Flock<File>> {
    let path = folder.join(LOCK);
    let file = File::options().create(true).write(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("make {}", path.display()))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|(_, errno)| errno)
        .with_context(|| format!("lock {}", path.display()))
}

/// Folders of the machine where another user may enter and run programs, the preferred first.
pub fn parents() -> Vec<PathBuf> {
    PARENTS.into_iter().map(PathBuf::from).filter(|folder| is_fit(folder)).collect()
}

/// Whether `word` could be the id of a run.
pub fn is_id(word: &str) -> bool {
    word.strip_prefix(ID_PREFIX)
        .is_some_and(|digits| digits.len() == ID_DIGITS && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Makes a folder with exactly this mode.
///
/// # Errors
/// It exists, or must not be made here.
pub fn make_folder(folder: &Path, mode: u32) -> Result<()> {
    fs::create_dir(folder).with_context(|| format!("make {}", folder.display()))?;
    set_mode(folder, mode)
}

/// # Errors
/// Not ours to change.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("set mode of {}", path.display()))
}

fn is_fit(folder: &Path) -> bool {
    let open = folder
        .ancestors()
        .all(|ancestor| ancestor.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0));
    let runs = statvfs(folder).is_ok_and(|fs| !fs.flags().contains(FsFlags::ST_NOEXEC));
    open && runs
}

/// `run` and eight digits of the time mixed with our pid: two runs of one moment differ. Digits alone, because letters
/// make words that a node may be called by.
fn new_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let number = now.wrapping_mul(1_000_003) ^ (u128::from(std::process::id()) << 20);
    format!("{ID_PREFIX}{:0ID_DIGITS$}", number % 10u128.pow(ID_DIGITS as u32))
}
