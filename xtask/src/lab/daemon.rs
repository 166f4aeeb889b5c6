//! A program that runs beside us: its output goes to a log in the run folder, its pid and start time to a file there,
//! so that a later sweep ends exactly it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::run::{PIDS, Run};
use crate::complain;
use crate::interrupt;

/// Lines of a log that a failure shows.
const TAIL_LINES: usize = 15;
/// Between SIGTERM and SIGKILL: a node drains for at most 10 s.
const STOP: Duration = Duration::from_secs(12);

/// A running program. Ended on drop.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
    record: PathBuf,
}

impl Daemon {
    /// Starts `command` in a process group of its own, so that Ctrl-C in the terminal reaches us alone.
    ///
    /// # Errors
    /// It cannot be started or recorded.
    pub fn start(run: &Run, name: &str, mut command: Command) -> Result<Self> {
        let log = run.folder().join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("open {}", log.display()))?;
        let errors = file.try_clone().with_context(|| format!("open {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors).process_group(0);
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        let record = run.folder().join(PIDS).join(name);
        let daemon = Self { name: name.to_owned(), child, log, record };
        let started = start_ticks(daemon.pid()).with_context(|| format!("find process of {name}"))?;
        fs::write(&daemon.record, format!("{} {started}\n", daemon.pid()))
            .with_context(|| format!("record the process of {name}"))?;
        Ok(daemon)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Asks `ready` until it is true.
    ///
    /// # Errors
    /// The program ends meanwhile or the time is over; the message holds the end of its log.
    pub fn wait_until(&mut self, within: Duration, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
        let what = format!("{} to be ready", self.name);
        let child = &mut self.child;
        let asked = interrupt::until(&what, within, || {
            if let Some(status) = child.try_wait()? {
                bail!("{} at once", crate::process::ending(status));
            }
            Ok(ready()?.then_some(()))
        });
        asked.with_context(|| format!("{}; its log ends:\n{}", self.name, self.tail()))
    }

    /// Waits for an end that is under way already.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn wait(mut self, within: Duration) -> Result<ExitStatus> {
        let (what, child) = (format!("{} to end", self.name), &mut self.child);
        interrupt::until(&what, within, || Ok(child.try_wait()?))
    }

    /// Sends a signal; a program that has ended hears none.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} {}", self.name, crate::process::ending(status));
        }
        let pid = i32::try_from(self.pid()).context("a pid")?;
        Ok(kill(Pid::from_raw(pid), signal)?)
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        lines.get(from..).unwrap_or_default().join("\n")
    }

    /// SIGTERM, and SIGKILL to what does not heed it. Returns how it ended.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.end(Signal::SIGTERM)
    }

    /// SIGKILL: as if it had crashed.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.end(Signal::SIGKILL)
    }

    fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        if let Ok(pid) = i32::try_from(self.pid()) {
            // Not waited for yet, so the pid is still this child's.
            let _ = kill(Pid::from_raw(pid), signal);
        }
        let deadline = Instant::now() + STOP;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        complain!("warning: {} did not end within {} s of {signal}: killed", self.name, STOP.as_secs());
        self.child.kill()?;
        Ok(self.child.wait()?)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.end(Signal::SIGTERM) {
            complain!("warning: end {}: {error:#}", self.name);
        }
        drop(fs::remove_file(&self.record));
    }
}

/// Start time of a process in clock ticks since boot: with the pid it names one process for good (proc(5), field 22).
pub fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets and may hold anything.
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19)?.parse().ok()
}
