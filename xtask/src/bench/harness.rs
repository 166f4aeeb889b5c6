//! The harness of ../shared/bench as `cargo xtask bench` calls it: a copy of it, so that subjects and paths of ours can
//! stand beside its own, its rounds, and the rows made of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Line, Report, Row};
use crate::build::Built;
use crate::{process, setup, workspace};

/// Interleaved rounds, each with every subject afresh; the first second of a subject is not counted.
const ROUNDS: &str = "5";
const SECONDS: &str = "3";
/// Before others on a loaded machine; the harness gives each subject a scheduling group of this weight.
const NICE: &str = "-12";
/// More of the subject's CPU taken by others makes a round void (targets.md).
const FOREIGN_MAX: f64 = 0.05;

/// What one run of the harness is to measure.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Names, separated by commas.
    pub subjects: &'a str,
    pub workload: &'a str,
    /// Connections: as many as are needed to keep the subject busy.
    pub connections: u32,
}

/// A fresh copy of the harness below target/bench, with the node's settings as this machine needs them.
pub fn copied(name: &str) -> Result<PathBuf> {
    let folder = workspace::target().join("bench").join(name);
    copy(&harness()?, &folder)?;
    let path = folder.join("peers/waf_node.toml");
    let template = fs::read_to_string(&path).context("read the harness's peers/waf_node.toml")?;
    // The harness's origin lies on loopback, which a node serves from only where it is told to.
    let template = template.replacen("[node]\n", "[node]\norigin_networks = [\"127.0.0.0/8\"]\n", 1);
    fs::write(&path, template).context("write the node's settings")?;
    Ok(folder)
}

/// Every round of every subject.
pub fn measure(built: &Built, folder: &Path, run: Run<'_>) -> Result<Vec<Value>> {
    let Run { subjects, workload, connections } = run;
    let file = folder.join(format!("{workload}.json"));
    let mut python = process::command("python3");
    python.arg(folder.join("bench_l7.py")).args(["run", "-s", subjects]);
    python
        .args(["--rounds", ROUNDS, "--secs", SECONDS, "-w", workload, "--nice", NICE])
        .args(["--conns", &connections.to_string(), "--json"])
        .arg(&file);
    let peers = [setup::nginx(), setup::bench::haproxy()];
    let folders = peers.iter().flatten().filter_map(|program| program.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path)))?;
    python.env("PATH", path).env("WAF", &built.waf).stdin(Stdio::null());
    let said = process::text(&mut python).context("the harness of the L rows")?;
    let text =
        fs::read_to_string(&file).with_context(|| format!("read what the harness measured: {said}"))?;
    let value: Value = serde_json::from_str(&text).context("read what the harness measured")?;
    let rows = value.as_array().cloned().with_context(|| format!("no rows in {}", file.display()))?;
    ensure!(!rows.is_empty(), "the harness measured nothing: {said}");
    Ok(rows)
}

/// Pairs of the same round.
pub fn compare(results: &[Value], id: &str, what: &str, (subject, base): (&str, &str), report: &mut Report) {
    let of = |name: &str| -> Vec<&Value> { results.iter().filter(|row| row["subject"] == name).collect() };
    let rounds: Vec<(&Value, &Value)> = of(subject).into_iter().zip(of(base)).collect();
    if let Some((bad, _)) =
        rounds.iter().flat_map(|(a, b)| [(a, b), (b, a)]).find(|(row, _)| row["verdict"] != "ok")
    {
        report.take(&Line::Failed(format!("{what}: {}: {}", bad["subject"], bad["verdict"])));
        return;
    }
    let foreign = |row: &Value| row["foreign"].as_f64().unwrap_or(1.0);
    let quiet = |(a, b): &&(&Value, &Value)| foreign(a) <= FOREIGN_MAX && foreign(b) <= FOREIGN_MAX;
    let valid: Vec<(&Value, &Value)> = rounds.iter().filter(quiet).copied().collect();
    let used = if valid.len() * 2 > rounds.len() { &valid } else { &rounds };
    let cpu = |row: &Value| row["cpu_ms_1k"].as_f64().unwrap_or(f64::NAN);
    let pairs: Vec<(f64, f64)> = used.iter().map(|(a, b)| (cpu(a), cpu(b))).collect();
    match Row::of_pairs(id, what, base, "us/req", &pairs) {
        Some(row) => report.take(&Line::Row(row)),
        None => report.take(&Line::Failed(format!("{what}: no round"))),
    }
    let rate = |row: &Value| row["rps"].as_f64().unwrap_or(0.0);
    let rates: Vec<String> = used.iter().map(|(a, b)| format!("{:.0}/{:.0}", rate(a), rate(b))).collect();
    let (total, left) = (rounds.len(), valid.len());
    let void = if used.len() == left {
        "the others are void"
    } else {
        "too few: all are counted, repeat on a quiet machine"
    };
    report.take(&Line::Note(format!(
        "requests/s {}; {left} of {total} rounds with at most {:.0} % of the CPU taken by others ({void})",
        rates.join(" "),
        FOREIGN_MAX * 100.0
    )));
}

fn harness() -> Result<PathBuf> {
    let shared = workspace::shared().map(|shared| shared.join("bench"));
    shared
        .filter(|bench| bench.join("bench_l7.py").is_file())
        .context("no ../shared/bench: set WAF_SHARED to the folder that holds bench/bench_l7.py")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("clear {}", to.display()))?;
    }
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    // Without the modes of the original, which may be read-only.
    process::run(Command::new("cp").args(["-r", "--no-preserve=mode"]).arg(from).arg(to))
}
