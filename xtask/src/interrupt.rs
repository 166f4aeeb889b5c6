//! Ctrl-C and its like as a question that the work asks now and then, so that everything is cleared away in the usual
//! order. The work is done by a worker process; a guard process in front of it takes the signals and holds a pipe to
//! it. Also a guard that is killed closes the pipe, and the worker clears away.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::unistd::Pid;

use crate::complain;
use crate::process;

/// The worker's name in the process list, by which it knows itself.
const WORKER: &str = "xtask-worker";
/// What a shell adds to a signal's number for an exit code.
const BY_SIGNAL: i32 = 128;
/// Between two questions: short beside what is waited for, long beside the cost of asking.
const PAUSE: Duration = Duration::from_millis(10);
/// How long clearing away may take: a node drains for at most 10 s.
const CLEARED: Duration = Duration::from_secs(15);

static STOPPED: Mutex<Option<Interrupted>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();
/// The child of [`relay`], and the thread that waits for its signals.
static RELAYED: Mutex<Option<(Pid, Reach)>> = Mutex::new(None);
static LISTENING: Once = Once::new();

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
                complain!("\n{signal}: clearing away");
            }
        }
    });
    let status = worker.wait().context("wait for the worker process")?;
    std::process::exit(status.code().unwrap_or_else(|| BY_SIGNAL + status.signal().unwrap_or(0)));
}

/// Runs a program that knows nothing of us, in a process group of its own; a signal to us goes to that whole
/// group, and we return when nobody is left in it; a second signal kills.
///
/// # Errors
/// It cannot be started, or was stopped by a signal: [`Interrupted`].
pub fn attend(command: &mut Command) -> Result<ExitStatus> {
    let mut child =
        command.process_group(0).spawn().with_context(|| format!("start {}", process::line(command)))?;
    let group = Pid::from_raw(i32::try_from(child.id()).context("a pid")?);
    let signals = take_over()?;
    std::thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            let passed_on = if check().is_ok() { signal } else { Signal::SIGKILL };
            complain!("\n{signal}: clearing away");
            *stopped() = Some(Interrupted(signal));
            // It may have ended just now.
            let _ = killpg(group, passed_on);
        }
    });
    let status = child.wait().context("wait for the program")?;
    check().inspect_err(|_| {
        // A demo that it has started clears away meanwhile.
        let deadline = Instant::now() + CLEARED;
        while killpg(group, None).is_ok() && Instant::now() < deadline {
            std::thread::sleep(PAUSE);
        }
    })?;
    Ok(status)
}

/// Whom of a child's a signal to us is to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The child alone. It shares our terminal, from which Ctrl-C has reached it already.
    Child,
    /// All of its process group, which it has to itself.
    Group,
}

/// A child that signals to us go on to until this is dropped: it clears away after itself, and we outlive it. Who asks
/// [`check`] then learns of the signal.
#[derive(Debug)]
pub struct Relay(SigSet);

/// To be taken at once when the child is started: one that is started later would inherit it.
///
/// # Errors
/// The kernel refuses.
pub fn relay(child: &Child, reach: Reach) -> Result<Relay> {
    let pid = Pid::from_raw(i32::try_from(child.id()).context("a pid")?);
    *relayed() = Some((pid, reach));
    let signals = take_over()?;
    LISTENING.call_once(|| {
        std::thread::spawn(move || {
            while let Ok(signal) = signals.wait() {
                pass_on(signal);
                *stopped() = Some(Interrupted(signal));
            }
        });
    });
    Ok(Relay(signals))
}

impl Relay {
    /// Ends the child, for a reason of our own.
    pub fn end(&self) {
        pass_on(Signal::SIGTERM);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        *relayed() = None;
        // What was allowed to block may unblock.
        let _ = self.0.thread_unblock();
    }
}

fn pass_on(signal: Signal) {
    // It may have ended just now.
    let _ = match *relayed() {
        Some((pid, Reach::Group)) => killpg(pid, signal),
        Some((pid, Reach::Child)) if signal != Signal::SIGINT => kill(pid, signal),
        _ => Ok(()),
    };
}

/// The reader of our output is gone: the work is to stop, quietly.
pub fn reader_left() {
    stopped().get_or_insert(Interrupted(Signal::SIGPIPE));
    CHANGED.notify_all();
}

/// Whether it is that which stopped the work.
pub fn has_reader_left() -> bool {
    matches!(*stopped(), Some(Interrupted(Signal::SIGPIPE)))
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

fn relayed() -> MutexGuard<'static, Option<(Pid, Reach)>> {
    RELAYED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stopped() -> MutexGuard<'static, Option<Interrupted>> {
    STOPPED.lock().unwrap_or_else(PoisonError::into_inner)
}
