//! The kernel rows: builds the measuring program and the programs it compares with, and passes its lines on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Group, Line, Report};
use crate::build::{self, BpfProgram, Built};
use crate::{process, say, workspace};

/// Compiles both below target/bench; as the invoking user, before anything runs as root.
///
/// # Errors
/// A compiler complains.
pub fn build() -> Result<()> {
    let object = build::bpf(BpfProgram::Bench)?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--quiet", "--package", "waf-tests", "--bench", "kernel", "--no-run"]);
    cargo.arg("--message-format=json").args(build::FEATURES);
    say!("build: the kernel bench");
    let output = cargo.stderr(Stdio::inherit()).output().context("build the kernel bench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if !output.status.success() {
        let said = messages.iter().filter_map(|message| message["message"]["rendered"].as_str());
        bail!("build the kernel bench: {}", said.collect::<String>());
    }
    let named = |message: &Value| {
        let is_ours = message["target"]["name"] == "kernel";
        message["executable"].as_str().filter(|_| is_ours).map(PathBuf::from)
    };
    let program = messages.iter().find_map(named).context("cargo named no program of the kernel bench")?;
    fs::create_dir_all(folder()).context("make target/bench")?;
    for (from, to) in [(program, measuring()), (object, compared())] {
        fs::copy(&from, &to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

/// Runs the measuring program and passes its lines on as they come.
///
/// # Errors
/// It cannot be started or fails; rows that it could not measure are in the report.
pub fn run(built: &Built, group: Group, report: &mut Report) -> Result<()> {
    let mut command = process::command(measuring());
    command.env("WAF_BIN", &built.waf).env("WAF_OBJECT", &built.object).env("WAF_BENCH_OBJECT", compared());
    if group != Group::All {
        command.arg(group.word());
    }
    let line = process::line(&command);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| line.clone())?;
    let output = child.stdout.take().context("read the bench's output")?;
    for text in BufReader::new(output).lines() {
        if let Some(said) = Line::parse(&text?) {
            report.take(&said);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{line} {}", process::ending(status));
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace::target().join("bench")
}

fn measuring() -> PathBuf {
    folder().join("kernel")
}

fn compared() -> PathBuf {
    folder().join("waf_bench.o")
}
