//! Nanoseconds per packet of loaded programs, in interleaved pairs on one CPU.

use std::fs;

use anyhow::{Context, Result, ensure};
use aya::programs::{TestRun, TestRunOptions, Xdp};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use xtask::bench::{Line, Row};

use crate::say;

const PAIRS: usize = 5;
/// A half of a pair is the lowest of so many short runs: what others take of the CPU only ever adds.
const SLICES: usize = 15;
/// Packets of a run: one to ten milliseconds.
const PACKETS: u32 = 20_000;
/// The weight of our scheduling group where others load the machine.
const NICE: &str = "-12";

/// A program and the frame it is given.
pub struct Subject<'a> {
    pub program: &'a Xdp,
    pub frame: &'a [u8],
    /// The XDP action that shows it did what is measured, or [`ANY`].
    pub action: u32,
}

/// Sources with different verdicts are measured.
pub const ANY: u32 = u32::MAX;

/// Pins this process to a CPU, before others by its scheduling group.
///
/// # Errors
/// No such CPU.
pub fn settle(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).context("pin the bench to a CPU")?;
    // Only with groups by session, and only as root: without it the rows are noisier, not wrong.
    drop(fs::write("/proc/self/autogroup", NICE));
    Ok(())
}

/// Measures A B A B … and says the row.
///
/// # Errors
/// A program gives another verdict than it should.
pub fn pairs(id: &str, what: &str, base: &str, subject: &Subject<'_>, other: &Subject<'_>) -> Result<()> {
    between(id, what, base, || nanoseconds(subject), || nanoseconds(other))
}

/// The same for anything that measures itself.
///
/// # Errors
/// What measuring fails with.
pub fn between(
    id: &str,
    what: &str,
    base: &str,
    mut subject: impl FnMut() -> Result<f64>,
    mut other: impl FnMut() -> Result<f64>,
) -> Result<()> {
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let first = subject().with_context(|| format!("{id} {what}"))?;
        pairs.push((first, other().with_context(|| format!("{id} {what}: {base}"))?));
    }
    let row = Row::of_pairs(id, what, base, "ns", &pairs).context("no pair")?;
    say(&Line::Row(row));
    Ok(())
}

/// Nanoseconds per packet, the lowest of some runs.
///
/// # Errors
/// The program gives another verdict than it should.
pub fn nanoseconds(subject: &Subject<'_>) -> Result<f64> {
    // Warms caches and branch predictors; the verdict is judged here.
    let result = run(subject, 1000)?;
    let Subject { action, .. } = subject;
    ensure!(*action == ANY || result.0 == *action, "the program's verdict is {}, not {action}", result.0);
    let mut lowest = f64::MAX;
    for _ in 0..SLICES {
        lowest = lowest.min(run(subject, PACKETS)?.1);
    }
    Ok(lowest)
}

/// Verdict on the last packet, nanoseconds per packet.
fn run(subject: &Subject<'_>, repeat: u32) -> Result<(u32, f64)> {
    let options = TestRunOptions { data_in: Some(subject.frame), repeat, ..TestRunOptions::new() };
    let result = subject.program.test_run(options).context("BPF_PROG_TEST_RUN")?;
    Ok((result.return_value, result.duration.as_nanos() as f64))
}
