//! `cargo xtask fuzz`: runs the targets of tests/fuzz by cargo-fuzz with the stable toolchain, from seeds laid out anew, and
//! says how much was tried and what was found.

mod seeds;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{complain, process, say, setup, workspace};

/// Target and the longest input that tells it anything.
const TARGETS: [(&str, u32); 14] = [
    ("packet", 512),
    ("http_request", 4096),
    ("http_response", 4096),
    ("http_body", 4096),
    ("rule_text", 4096),
    ("urlencoded", 4096),
    ("multipart", 4096),
    ("json", 4096),
    ("xml", 4096),
    ("coding", 4096),
    ("transformation", 1024),
    ("operator", 1024),
    ("pattern", 512),
    ("transaction", 4096),
];

/// Last lines of the fuzzer that are kept: a panic's message, the path of its input, the figures.
const LINES: usize = 60;

/// How a run of one target ended.
struct Outcome {
    name: &'static str,
    /// As libFuzzer counts them.
    executions: String,
    per_second: String,
    found: bool,
}

/// Fuzzes one target, or all in turn.
///
/// # Errors
/// No such target, cargo-fuzz is missing or cannot build, or an input was found: its file is named.
pub fn run(target: Option<&str>, seconds: u32) -> Result<()> {
    let chosen: Vec<_> =
        TARGETS.iter().filter(|(name, _)| target.is_none_or(|target| target == *name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        bail!("no fuzz target of that name: there are {}", names.join(", "));
    }
    let Some(program) = setup::bench::cargo_fuzz() else {
        bail!("no cargo-fuzz: cargo xtask setup --bench installs it");
    };
    let mut outcomes = Vec::new();
    for (name, bytes_max) in chosen {
        let seeds = seeds::lay(name)?;
        say!("fuzz: {name} for {seconds} s, from {seeds} seeds");
        outcomes.push(fuzz(&program, name, *bytes_max, seconds)?);
    }
    say!("fuzz: {:<15} {:>12} {:>8}  found", "target", "executions", "a second");
    for Outcome { name, executions, per_second, found } in &outcomes {
        let found = if *found { "an input in tests/fuzz/artifacts" } else { "nothing" };
        say!("fuzz: {name:<15} {executions:>12} {per_second:>8}  {found}");
    }
    let found: Vec<&str> = outcomes.iter().filter(|one| one.found).map(|one| one.name).collect();
    if found.is_empty() {
        return Ok(());
    }
    bail!("fuzz: findings in {}: the inputs lie in tests/fuzz/artifacts", found.join(", "))
}

/// One run.
fn fuzz(program: &PathBuf, name: &'static str, bytes_max: u32, seconds: u32) -> Result<Outcome> {
    let corpus = seeds::folder(name);
    fs::create_dir_all(&corpus).with_context(|| format!("make {}", corpus.display()))?;
    let mut command = command(program);
    command.args(["run", "--fuzz-dir", "tests/fuzz", "--target-dir"]).arg(workspace::target().join("fuzz"));
    // Safe Rust has no memory errors to look for; overflows and panics are found without a sanitizer, and twice as fast.
    command.args(["--sanitizer", "none", "--debug-assertions", name]).arg(&corpus).arg("--");
    command.args([format!("-max_total_time={seconds}"), format!("-max_len={bytes_max}")]);
    command.args(["-print_final_stats=1", "-verbosity=1", "-timeout=5"]);
    if let Some(words) = seeds::words(name)? {
        command.arg(format!("-dict={}", words.display()));
    }
    let line = process::line(&command);
    let mut child =
        command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().with_context(|| line.clone())?;
    let output = child.stderr.take().context("read the fuzzer's output")?;
    let mut last = VecDeque::new();
    for text in BufReader::new(output).lines() {
        let text = text?;
        last.push_back(text);
        if last.len() > LINES {
            last.pop_front();
        }
    }
    let status = child.wait()?;
    let stat = |key: &str| {
        let found = last.iter().find_map(|text| text.strip_prefix("stat::")?.strip_prefix(key));
        found.map_or("-", |value| value.trim_start_matches(':').trim()).to_owned()
    };
    let executions = stat("number_of_executed_units");
    let ran = executions != "-";
    let found = !(status.success() && ran);
    let outcome = Outcome { name, executions, per_second: stat("average_exec_per_sec"), found };
    if !outcome.found {
        return Ok(outcome);
    }
    for text in &last {
        complain!("{text}");
    }
    if !ran && !last.iter().any(|text| text.contains("artifact")) {
        bail!("{line} {}", process::ending(status));
    }
    Ok(outcome)
}

/// cargo-fuzz with the workspace's own toolchain, which then takes the flags of a nightly one.
fn command(program: &PathBuf) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    workspace::clean(&mut command);
    command.arg("fuzz").env("RUSTC_BOOTSTRAP", "1");
    command
}
