//! Ctrl-C and its like as a question that the work asks now and then, so that everything is cleared away in the usual
//! order. Nothing is done in a signal handler: a thread waits for the signals.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

static STOPPED: Mutex<Option<Signal>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();

/// The work was stopped from outside.
#[derive(Debug)]
pub struct Interrupted(pub Signal);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped by {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// Takes over SIGINT, SIGTERM and SIGHUP. To be called before any thread is started; programs started later do not
/// inherit it.
///
/// # Errors
/// The signals cannot be blocked.
pub fn install() -> Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block().context("take over Ctrl-C")?;
    std::thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            if stopped().replace(signal).is_none() {
                eprintln!("\n{signal}: clearing away");
            }
            CHANGED.notify_all();
        }
    });
    Ok(())
}

/// Fails once the work is to stop.
///
/// # Errors
/// [`Interrupted`].
pub fn check() -> Result<()> {
    match *stopped() {
        Some(signal) => Err(Interrupted(signal).into()),
        None => Ok(()),
    }
}

/// Waits for the signal to stop.
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

fn stopped() -> MutexGuard<'static, Option<Signal>> {
    STOPPED.lock().unwrap_or_else(PoisonError::into_inner)
}
