//! L1 by the harness of ../shared/bench: CPU per tiny request of the proxy alone beside nginx and haproxy, then with more
//! tenants beside itself with one. The harness is copied, so that subjects of more tenants can stand beside its own.

use std::fmt::Write as _;
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
const TENANTS: [u32; 2] = [100, 2000];
/// More of the subject's CPU taken by others makes a round void (targets.md).
const FOREIGN_MAX: f64 = 0.05;

pub fn run(built: &Built, report: &mut Report) -> Result<()> {
    let folder = workspace::target().join("bench").join("l7");
    copy(&harness()?, &folder)?;
    add_subjects(&folder)?;
    let results = measure(built, &folder, "waf-off,nginx-plain,haproxy-plain", &folder.join("peers.json"))?;
    for (subject, base) in [("waf-off", "nginx-plain"), ("haproxy-plain", "nginx-plain")] {
        let id = if subject == "waf-off" { "L1" } else { "L1peer" };
        let what = format!("{subject}: CPU per tiny GET, one tenant");
        compare(&results, id, &what, (subject, base), report);
    }
    let many: Vec<String> = TENANTS.iter().map(|count| subject(*count)).collect();
    let subjects = format!("waf-off,{}", many.join(","));
    let results = measure(built, &folder, &subjects, &folder.join("tenants.json"))?;
    for (count, name) in TENANTS.iter().zip(&many) {
        let what = format!("waf-off: CPU per tiny GET, {count} tenants");
        compare(&results, "growth", &what, (name, "waf-off"), report);
    }
    Ok(())
}

fn harness() -> Result<PathBuf> {
    let given = std::env::var_os("WAF_SHARED").map(PathBuf::from);
    let beside = workspace::root().join("../shared");
    given
        .into_iter()
        .chain([beside])
        .map(|shared| shared.join("bench"))
        .find(|bench| bench.join("bench_l7.py").is_file())
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

/// Subjects like waf-off, with tenants that no request is for behind the one that is asked.
fn add_subjects(folder: &Path) -> Result<()> {
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("read the harness's {name}"))
    };
    let template = read("peers/waf_node.toml")?;
    // The harness's origin lies on loopback, which a node serves from only where it is told to.
    let template = template.replacen("[node]\n", "[node]\norigin_networks = [\"127.0.0.0/8\"]\n", 1);
    fs::write(folder.join("peers/waf_node.toml"), &template).context("write the node's settings")?;
    let mut subjects = read("subjects.toml")?;
    for count in TENANTS {
        let mut text = template.clone();
        for tenant in 0..count {
            write!(
                text,
                "[[tenant]]\nid = {}\nfqdn = \"t{tenant}.example.test\"\naddresses = [\"127.0.0.1\"]\n\
                 http_port = {{{{port}}}}\norigins = [\"http://127.0.0.1:{{{{origin_port}}}}\"]\nmode = \"off\"\n",
                tenant + 10
            )?;
        }
        fs::write(folder.join(format!("peers/waf_node_{count}.toml")), text)?;
        let name = subject(count);
        write!(
            subjects,
            "\n[[subject]]\nname = \"{name}\"\nmode = \"plain\"\ntls = true\ntemplates = [\"waf_node_{count}.toml\"]\n\
             vars = {{ waf_mode = \"off\", waf_rules = \"\", pl = \"1\", respbody = \"false\" }}\n\
             start = [\"{{{{waf}}}}\", \"node\", \"--config\", \"{{{{config}}}}\"]\nreload = \"HUP\"\n"
        )?;
    }
    fs::write(folder.join("subjects.toml"), subjects).context("write the subjects")
}

fn subject(tenants: u32) -> String {
    format!("waf-off-{tenants}")
}

/// Every round of every subject.
fn measure(built: &Built, folder: &Path, subjects: &str, file: &Path) -> Result<Vec<Value>> {
    let mut python = process::command("python3");
    python.arg(folder.join("bench_l7.py")).args(["run", "-s", subjects]);
    python
        .args(["--rounds", ROUNDS, "--secs", SECONDS, "-w", "get_tiny", "--nice", NICE, "--json"])
        .arg(file);
    let peers = [setup::nginx(), setup::bench::haproxy()];
    let folders = peers.iter().flatten().filter_map(|program| program.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path)))?;
    python.env("PATH", path).env("WAF", &built.waf).stdin(Stdio::null());
    let said = process::text(&mut python).context("the harness of L1")?;
    let text = fs::read_to_string(file).with_context(|| format!("read what the harness measured: {said}"))?;
    let value: Value = serde_json::from_str(&text).context("read what the harness measured")?;
    let rows = value.as_array().cloned().with_context(|| format!("no rows in {}", file.display()))?;
    ensure!(!rows.is_empty(), "the harness measured nothing: {said}");
    Ok(rows)
}

/// Pairs of the same round.
fn compare(results: &[Value], id: &str, what: &str, (subject, base): (&str, &str), report: &mut Report) {
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
