//! What the steps read to prove a claim: event ids on pages, sums over the kernel's counters, records in the logs,
//! switches of a worker's thread.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::interrupt;
use crate::lab::{Answer, Node};

/// An event is written by a thread of its own, within milliseconds; a busy machine takes longer.
const WRITTEN: Duration = Duration::from_secs(5);
/// Characters of an event id.
const ID_LEN: usize = 32;
/// Fields of COUNTERS that count packets of blocked sources.
pub const BLOCKED: [&str; 3] = ["drop_node", "drop_address", "drop_tenant"];

/// The event id that a block page shows.
pub fn event_id(answer: &Answer) -> Option<String> {
    let text = answer.text();
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.filter(|word| word.len() == ID_LEN).map(str::to_owned).next()
}

/// The event that `waf event ID` finds.
///
/// # Errors
/// It is not found in time, or what is found is not JSON.
pub fn find_event(node: &Node, id: &str) -> Result<Value> {
    let mut said = String::new();
    let found = interrupt::until(&format!("event {id}"), WRITTEN, || {
        let output = node.waf(&["event", id, "--json"])?;
        said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(output.status.success().then_some(output.stdout))
    });
    let json = found.with_context(|| format!("waf event {id}: {said}"))?;
    serde_json::from_slice(&json).with_context(|| format!("read what waf event {id} prints"))
}

/// Packets that the kernel dropped for blocked sources, read by bpftool.
///
/// # Errors
/// The node is not loaded.
pub fn blocked(node: &Node) -> Result<u64> {
    let dump = node.map("COUNTERS")?;
    Ok(BLOCKED.iter().map(|field| sum(&dump, field)).sum())
}

/// Sum of a field over all entries and CPUs of a dump.
pub fn sum(dump: &Value, field: &str) -> u64 {
    match dump {
        Value::Array(all) => all.iter().map(|value| sum(value, field)).sum(),
        Value::Object(all) => {
            let own = all.get(field).and_then(Value::as_u64).unwrap_or(0);
            own + all.values().map(|value| sum(value, field)).sum::<u64>()
        }
        _ => 0,
    }
}

/// Lines of the node's request log, as JSON.
///
/// # Errors
/// The log cannot be read, or a whole line is no JSON.
pub fn requests(node: &Node) -> Result<Vec<Value>> {
    let path = node.state().join("requests.jsonl");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    // The last line may be half written.
    let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
    let lines = whole.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().with_context(|| format!("read {}", path.display()))
}

/// The bans of a node, as `waf ban list --json` prints them.
///
/// # Errors
/// The command fails.
pub fn bans(node: &Node) -> Result<String> {
    node.waf_text(&["ban", "list", "--json"])
}

/// How often a worker's thread has gone to sleep and come back, by its number: each connection takes some of it.
///
/// # Errors
/// The daemon does not run, or has no such thread.
pub fn wakings(node: &Node, worker: u16) -> Result<u64> {
    let daemon = node.daemon().with_context(|| format!("{} does not run", node.name()))?;
    let tasks = format!("/proc/{}/task", daemon.pid());
    for task in fs::read_dir(&tasks).with_context(|| format!("list {tasks}"))?.flatten() {
        let comm = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if comm.trim_end() == format!("waf-worker-{worker}") {
            let status = fs::read_to_string(task.path().join("status"))?;
            let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            return count.and_then(|count| count.trim().parse().ok()).context("read a worker's thread");
        }
    }
    bail!("{} has no thread waf-worker-{worker}", node.name())
}

#[cfg(test)]
mod tests;
