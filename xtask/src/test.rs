//! `cargo xtask test`: everything that CI checks, in the order of what fails soonest, and one total at the end.
//! Everything is built as the invoking user; only the finished integration binary runs as root.

pub mod crs;
pub mod kernels;
pub mod soak;

mod tally;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use self::tally::Tally;
use crate::build::{self, Built, FEATURES, Profile};
use crate::interrupt::Reach;
use crate::{interrupt, lab, privilege, process, say, setup, tidy, workspace};

/// Compiled for another target, by another compiler: the usual lints cannot see it.
const NO_LINTS: &str = "waf-ebpf";
/// What cargo builds of the tests where only those on real interfaces are wanted.
const ON_INTERFACES: [&str; 2] = ["--test", "it"];

/// How long the integration tests may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tests {
    Ordinary,
    Long,
}

/// Runs all of it.
///
/// # Errors
/// The first check that fails, or a failing test once all have run.
pub fn run() -> Result<()> {
    setup::run()?;
    step("fmt", workspace::cargo().args(["fmt", "--all", "--check"]))?;
    let lints = ["clippy", "--quiet", "--workspace", "--exclude", NO_LINTS, "--all-targets"];
    step("clippy", workspace::cargo().args(lints).args(FEATURES).args(["--", "-D", "warnings"]))?;
    say!("test: clippy leaves out {NO_LINTS}, which compiles for the BPF target only");
    say!("test: tidy");
    tidy::run()?;
    let built = build::run(Profile::Dev)?;

    let mut tally = Tally::default();
    say!("test: unit tests of the default members");
    let mut unit = workspace::cargo();
    unit.process_group(0);
    // Printed output of passing tests tells which were skipped; the tally shows only that of it.
    unit.args(["test", "--no-fail-fast"]).args(FEATURES).args(["--", "--show-output"]);
    watch(&mut unit, Reach::Group, &mut tally)?;

    say!("test: integration tests");
    sweep()?;
    for binary in integration_binaries(&[])? {
        watch(&mut integration(&binary, &built, Tests::Ordinary)?, Reach::Child, &mut tally)?;
    }
    total(&tally)
}

/// The last lines: what was skipped, and the sum.
fn total(tally: &Tally) -> Result<()> {
    for line in tally.skips() {
        say!("{line}");
    }
    say!("{tally}");
    if tally.has_failed() {
        bail!("a test failed");
    }
    Ok(())
}

fn step(name: &str, command: &mut Command) -> Result<()> {
    say!("test: {name}");
    let mut child =
        command.process_group(0).stdin(Stdio::null()).spawn().with_context(|| process::line(command))?;
    let relay = interrupt::relay(&child, Reach::Group)?;
    let status = child.wait()?;
    drop(relay);
    interrupt::check()?;
    if !status.success() {
        bail!("{name}: {} {}", process::line(command), process::ending(status));
    }
    Ok(())
}

/// Builds package waf-tests, or only some targets of it, and asks cargo where its binaries lie.
fn integration_binaries(targets: &[&str]) -> Result<Vec<PathBuf>> {
    let mut cargo = workspace::cargo();
    cargo
        .args(["test", "--quiet", "--package", "waf-tests", "--no-run", "--message-format=json"])
        .args(FEATURES)
        .args(targets);
    let output = cargo.stderr(Stdio::inherit()).output().context("build the integration tests")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if !output.status.success() {
        let said = messages.iter().filter_map(|message| message["message"]["rendered"].as_str());
        bail!("build the integration tests: {}", said.collect::<String>());
    }
    let tests = messages.iter().filter(|message| message["profile"]["test"] == true);
    Ok(tests.filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?))).collect())
}

/// The binary as root, with what it tests in its environment.
fn integration(binary: &PathBuf, built: &Built, tests: Tests) -> Result<Command> {
    let mut command = match privilege::is_reachable() {
        true => privilege::command("env")?,
        // The tests that need root say so and are counted as skipped.
        false => process::command("env"),
    };
    if !privilege::is_root() && privilege::is_reachable() {
        say!("sudo: namespaces, BPF programs and processes of another user need root");
    }
    command.current_dir(workspace::root().join("tests"));
    let mut set = |name: &str, value: &std::ffi::OsStr| {
        let mut pair = std::ffi::OsString::from(name);
        pair.push("=");
        pair.push(value);
        command.arg(pair);
    };
    set("WAF_BIN", built.waf.as_os_str());
    set("WAF_OBJECT", built.object.as_os_str());
    set("WAF_XTASK", std::env::current_exe()?.as_os_str());
    if let Some(shared) = workspace::shared() {
        set("WAF_SHARED", shared.as_os_str());
    }
    if tests == Tests::Long {
        set(soak::VARIABLE, "1".as_ref());
    }
    command.arg(std::env::current_exe()?).arg("integration").arg(binary);
    Ok(command)
}

/// The integration binary, with a sweep after it where it was stopped in the midst of a lab.
///
/// # Errors
/// It cannot be started, or was stopped.
pub fn attend(binary: &Path, arguments: &[String]) -> Result<()> {
    match interrupt::attend(Command::new(binary).arg("--show-output").args(arguments)) {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => {
            if privilege::is_root() {
                lab::sweep::sweep()?;
            }
            Err(error)
        }
    }
}

/// Runs one test program, showing its lines as they come and counting them. A failure that no test owns (a compiler's,
/// a crash) ends everything.
fn watch(command: &mut Command, reach: Reach, tally: &mut Tally) -> Result<()> {
    if let Some(shared) = workspace::shared() {
        command.env("WAF_SHARED", shared);
    }
    let line = process::line(command);
    let failed_before = tally.failed();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| line.clone())?;
    let relay = interrupt::relay(&child, reach)?;
    let mut is_told = false;
    let output = child.stdout.take().context("read the tests' output")?;
    for bytes in BufReader::new(output).split(b'\n') {
        let text = String::from_utf8_lossy(&bytes?).into_owned();
        if tally.take(&text) {
            say!("{text}");
        }
        if !is_told && interrupt::has_reader_left() {
            is_told = true;
            relay.end();
        }
    }
    let status = child.wait()?;
    drop(relay);
    interrupt::check()?;
    if !status.success() && tally.failed() == failed_before {
        bail!("{line} {}", process::ending(status));
    }
    Ok(())
}

/// What killed runs and tests left is cleared away before new ones begin.
fn sweep() -> Result<()> {
    if privilege::is_root() {
        return lab::sweep::sweep();
    }
    if !privilege::is_reachable() {
        return Ok(());
    }
    say!("sudo: clearing away what killed runs left needs root");
    process::show(privilege::command(std::env::current_exe()?)?.arg("sweep"))
}
