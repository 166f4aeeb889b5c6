//! `cargo xtask test --kernels`: the kernel half on the kernels that it is to run on. Each of Debian's is booted under
//! qemu, whose processor is emulated, with the finished integration binary in its memory: load, attach, the table of
//! packets, the order of decisions. One line a kernel. Verdicts only: times under emulation mean nothing.

mod image;
mod machine;
mod package;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use self::package::{Archive, Kernel, Suite};
use super::tally::Tally;
use super::{ON_INTERFACES, integration_binaries};
use crate::build::{self, Built, Profile};
use crate::{say, setup, workspace};

/// The oldest kernel served, the one of backports, and the newest there is.
const SUITES: [Suite; 3] = [
    Suite { name: "bookworm-security", archive: Archive::Security, series: "6.1" },
    Suite { name: "bookworm-backports", archive: Archive::Main, series: "6.12" },
    Suite { name: "sid", archive: Archive::Main, series: "newest" },
];

/// The tests that run there, by the beginnings of their names: what depends on the kernel and on no peer.
const TESTS: [&str; 7] = [
    "kernel::verdicts::",
    "kernel::order::",
    "kernel::parse::",
    "kernel::lists::scopes_come_in_their_order",
    "kernel::lists::expired_entries_do_not_match",
    "kernel::lookup::connections_reach_the_worker_that_the_hash_names",
    "kernel::lookup::a_refused_service_answers_with_rst",
];

/// What came of one kernel.
enum Outcome {
    Passed { release: String, passed: u64 },
    Failed(String),
    Skipped(String),
}

/// Runs all of it.
///
/// # Errors
/// Something cannot be installed or built, or a test fails on a kernel.
pub fn run() -> Result<()> {
    setup::run()?;
    setup::emulator::run()?;
    let built = build::run(Profile::Dev)?;
    let binaries = integration_binaries(&ON_INTERFACES)?;
    let [binary] = &binaries[..] else { bail!("one integration binary, not {}", binaries.len()) };
    say!("test: {} on each kernel, emulated", TESTS.join(", "));
    let mut failed = 0;
    for suite in SUITES {
        let started = Instant::now();
        match on(&suite, &built, binary) {
            Outcome::Passed { release, passed } => {
                let took = started.elapsed().as_secs();
                say!("kernel {}: {release}: {passed} passed, in {took} s", suite.series);
            }
            Outcome::Failed(why) => {
                failed += 1;
                say!("kernel {}: FAILED: {why}", suite.series);
            }
            Outcome::Skipped(why) => say!("skipped: kernel {}: {why}", suite.series),
        }
    }
    ensure!(failed == 0, "{failed} kernel(s) failed");
    Ok(())
}

/// A kernel that is not to be had is skipped; one that is, has to pass.
fn on(suite: &Suite, built: &Built, binary: &Path) -> Outcome {
    let folder = workspace::target().join("kernels").join(suite.name);
    let kernel = match package::fetch(suite, &folder) {
        Ok(kernel) => kernel,
        Err(error) => return Outcome::Skipped(format!("{error:#}")),
    };
    match boot(&kernel, &folder, built, binary) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed(format!("{}: {error:#}", kernel.release)),
    }
}

fn boot(kernel: &Kernel, folder: &Path, built: &Built, binary: &Path) -> Result<Outcome> {
    let image = folder.join("initrd.cpio");
    image::make(&image, &kernel.module, &image::Tested { binary, built, tests: &TESTS })?;
    let log = folder.join("console.txt");
    machine::boot(kernel, &image, &log)?;
    let text = std::fs::read(&log).with_context(|| format!("read {}", log.display()))?;
    judge(kernel, &String::from_utf8_lossy(&text), &log)
}

/// What the machine said between its two marks.
fn judge(kernel: &Kernel, said: &str, log: &Path) -> Result<Outcome> {
    let Some((_, said)) = said.split_once(image::BEGIN) else {
        bail!("it does not come up: see {}", log.display());
    };
    let Some((said, _)) = said.split_once(image::END) else {
        bail!("it does not come to the end: see {}", log.display());
    };
    let mut tally = Tally::default();
    for line in said.lines() {
        tally.take(line);
    }
    let failed: Vec<&str> =
        said.lines().filter(|line| line.trim_end().ends_with("... FAILED")).map(str::trim_end).collect();
    ensure!(!tally.has_failed(), "{}: see {}", failed.join("; "), log.display());
    ensure!(tally.skips().is_empty(), "{}: see {}", tally.skips().join("; "), log.display());
    ensure!(tally.passed() > 0, "no test ran: see {}", log.display());
    Ok(Outcome::Passed { release: kernel.release.clone(), passed: tally.passed() })
}
