//! Ctrl-C and its like as a question that the work asks now and then, so that everything is cleared away in the usual
//! order. The work is done by a worker process; a guard process in front of it takes the signals and holds a pipe to
//! it. Also a guard that is killed closes the pipe, and the worker clears away.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

use crate::process;

/// The worker's name in the process list, by which it knows itself.
const WORKER: &str = "xtask-worker";
/// What a shell adds to a signal's number for an exit code.
const BY_SIGNAL: i32 = 128;

static STOPPED: Mutex<Option<Interrupted>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();

/// The work was stopped from outside, by a signal to the guard.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted(pub Signal);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped by {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// In the first process: runs xtask with `arguments` as the worker, stands guard, and exits as it does. In the worker:
/// listens to the guard and returns.
///
/// # Errors
/// The worker cannot be started.
pub fn guard<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<()> {
    if std::env::args_os().next().is_some_and(|name| name == WORKER) {
        std::thread::spawn(listen);
        return Ok(());
    }
    let mut command = Command::new(std::env::current_exe()?);
    // A process group of its own: Ctrl-C in the terminal reaches the guard alone. No signal is blocked yet, because
    // what the worker starts would inherit it.
    command.arg0(WORKER).args(arguments).stdin(Stdio::piped()).process_group(0);
    let mut worker = command.spawn().context("start the worker process")?;
    let pipe = worker.stdin.take();
    let signals = take_over()?;
    std::thread::spawn(move || {
        let mut pipe = pipe;
        while let Ok(signal) = signals.wait() {
            let told = pipe.as_mut().map(|pipe| pipe.write_all(&[signal as u8]));
            if matches!(told, Some(Ok(()))) {
                eprintln!("\n{signal}: clearing away");
            }
        }
    });
    let status = worker.wait().context("wait for the worker process")?;
    std::process::exit(status.code().unwrap_or_else(|| BY_SIGNAL + status.signal().unwrap_or(0)));
}

/// Runs a program that knows nothing of us, in a process group of its own; a signal to us kills that whole group.
///
/// # Errors
/// It cannot be started, or was killed for a signal: [`Interrupted`].
pub fn attend(command: &mut Command) -> Result<ExitStatus> {
    let mut child =
        command.process_group(0).spawn().with_context(|| format!("start {}", process::line(command)))?;
    let group = Pid::from_raw(i32::try_from(child.id()).context("a pid")?);
    let signals = take_over()?;
    std::thread::spawn(move || {
        if let Ok(signal) = signals.wait() {
            eprintln!("\n{signal}: clearing away");
            *stopped() = Some(Interrupted(signal));
            // It may have ended just now.
            let _ = killpg(group, Signal::SIGKILL);
        }
    });
    let status = child.wait().context("wait for the program")?;
    check().map(|()| status)
}

/// Ctrl-C waits for its effect on us until this is dropped: whoever runs a program that clears away after itself
/// outlives it. To be taken once that program is started, because it would inherit it.
#[derive(Debug)]
pub struct Held(SigSet);

/// Holds Ctrl-C back in the calling thread.
///
/// # Errors
/// The kernel refuses.
pub fn hold() -> Result<Held> {
    let signals = SigSet::from(Signal::SIGINT);
    signals.thread_block().context("hold Ctrl-C back")?;
    Ok(Held(signals))
}

impl Drop for Held {
    fn drop(&mut self) {
        // What was allowed to block may unblock.
        let _ = self.0.thread_unblock();
    }
}

/// Exit code of a worker that was stopped.
pub fn exit_code(interrupted: Interrupted) -> u8 {
    u8::try_from(BY_SIGNAL + interrupted.0 as i32).unwrap_or(u8::MAX)
}

/// Fails once the work is to stop.
///
/// # Errors
/// [`Interrupted`].
pub fn check() -> Result<()> {
    match *stopped() {
        Some(interrupted) => Err(interrupted.into()),
        None => Ok(()),
    }
}

/// Waits until the work is to stop.
pub fn wait() {
    let mut signal = stopped();
    while signal.is_none() {
        signal = CHANGED.wait(signal).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Asks `ready` again and again until it has an answer; `what` completes "waited N s for ".
///
/// # Errors
/// `ready` fails, the time is over, or the work is to stop.
pub fn until<T>(what: &str, within: Duration, mut ready: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    /// Between two questions: short beside what is waited for, long beside the cost of asking.
    const PAUSE: Duration = Duration::from_millis(10);
    let deadline = Instant::now() + within;
    loop {
        check()?;
        if let Some(answer) = ready()? {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            anyhow::bail!("waited {} s for {what}", within.as_secs());
        }
        drop(CHANGED.wait_timeout(stopped(), PAUSE));
    }
}

/// From now on signals wait to be asked for; a program started later would inherit that.
fn take_over() -> Result<SigSet> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block().context("take over Ctrl-C")?;
    Ok(signals)
}

/// One byte from the guard is a signal's number; the end of the pipe is the end of the guard.
fn listen() {
    let mut number = [0];
    let signal = match std::io::stdin().read_exact(&mut number) {
        Ok(()) => Signal::try_from(i32::from(number[0])).unwrap_or(Signal::SIGTERM),
        Err(_) => Signal::SIGKILL,
    };
    *stopped() = Some(Interrupted(signal));
    CHANGED.notify_all();
}

fn stopped() -> MutexGuard<'static, Option<Interrupted>> {
    STOPPED.lock().unwrap_or_else(PoisonError::into_inner)
}
