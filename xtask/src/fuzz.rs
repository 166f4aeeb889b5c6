//! `cargo xtask fuzz`: runs the targets of tests/fuzz by cargo-fuzz with the stable toolchain, from seeds laid out anew, and
//! says how much was tried and what was found.

mod seeds;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{process, setup, workspace};

/// Target and the longest input that tells it anything.
const TARGETS: [(&str, u32); 4] =
    [("packet", 512), ("http_request", 4096), ("http_response", 4096), ("http_body", 4096)];

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
    let mut found = Vec::new();
    for (name, bytes_max) in chosen {
        let seeds = seeds::lay(name)?;
        println!("fuzz: {name} for {seconds} s, from {seeds} seeds");
        if !fuzz(&program, name, *bytes_max, seconds)? {
            found.push(*name);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("fuzz: findings in {}: the inputs lie in tests/fuzz/artifacts", found.join(", "))
}

/// One run; whether nothing was found.
fn fuzz(program: &PathBuf, name: &str, bytes_max: u32, seconds: u32) -> Result<bool> {
    let corpus = seeds::folder(name);
    fs::create_dir_all(&corpus).with_context(|| format!("make {}", corpus.display()))?;
    let mut command = command(program);
    command.args(["run", "--fuzz-dir", "tests/fuzz", "--target-dir"]).arg(workspace::target().join("fuzz"));
    // Safe Rust has no memory errors to look for; overflows and panics are found without a sanitizer, and twice as fast.
    command.args(["--sanitizer", "none", "--debug-assertions", name]).arg(&corpus).arg("--");
    command.args([format!("-max_total_time={seconds}"), format!("-max_len={bytes_max}")]);
    command.args(["-print_final_stats=1", "-verbosity=1", "-timeout=5"]);
    let line = process::line(&command);
    let mut child =
        command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().with_context(|| line.clone())?;
    let output = child.stderr.take().context("read the fuzzer's output")?;
    let mut last = Vec::new();
    for text in BufReader::new(output).lines() {
        let text = text?;
        if let Some(stat) = text.strip_prefix("stat::") {
            print_stat(name, stat);
        }
        last.push(text);
    }
    let status = child.wait()?;
    let ran = last.iter().any(|text| text.starts_with("stat::"));
    if status.success() && ran {
        println!("fuzz: {name}: nothing found");
        return Ok(true);
    }
    /// Enough for a panic's message and the path of its input.
    const SHOWN: usize = 40;
    for text in last.iter().skip(last.len().saturating_sub(SHOWN)) {
        eprintln!("{text}");
    }
    if !ran && !last.iter().any(|text| text.contains("artifact")) {
        bail!("{line} {}", process::ending(status));
    }
    Ok(false)
}

/// libFuzzer's final figures that a person wants.
fn print_stat(name: &str, stat: &str) {
    for (key, word) in
        [("number_of_executed_units", "executions"), ("average_exec_per_sec", "executions a second")]
    {
        if let Some(value) = stat.strip_prefix(key) {
            println!("fuzz: {name}: {} {word}", value.trim_start_matches(':').trim());
        }
    }
}

/// cargo-fuzz with the workspace's own toolchain, which then takes the flags of a nightly one.
fn command(program: &PathBuf) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    workspace::clean(&mut command);
    command.arg("fuzz").env("RUSTC_BOOTSTRAP", "1");
    command
}
