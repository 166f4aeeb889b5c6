//! The shared runner of test YAML (tools/ftw.py) -> what became of each test. Knows how to call it and how to read what
//! it writes, nothing of rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::targets::{Host, Node};
use crate::lab::run::Run;
use crate::{interrupt, process, workspace};

/// Before a request is given up, less than a node waits for a body that does not come (tests expect no answer then); and
/// before the log is taken to hold nothing of it.
const TIMEOUT_S: &str = "10";
const LOGGED_WITHIN_S: &str = "3";
/// Requests at once to a node, whose log tells them apart.
const JOBS: &str = "4";
/// Apache logs the last phase after the answer: so long it is waited for before the log is cut.
const SETTLE_MS: &str = "10";
/// How long an event of a refused request is waited for.
const TOLD: Duration = Duration::from_millis(500);

/// What lies beside the tree.
pub struct Tools {
    ftw: PathBuf,
    pub backend: PathBuf,
    tests: PathBuf,
}

impl Tools {
    pub fn find() -> Result<Self> {
        let Some(shared) = workspace::shared() else {
            bail!("no shared data: neither WAF_SHARED nor ../shared holds tools/ftw.py and crs-tests-3.3.4");
        };
        let tools = Self {
            ftw: shared.join("tools/ftw.py"),
            backend: shared.join("tools/backend.py"),
            tests: shared.join("crs-tests-3.3.4"),
        };
        for path in [&tools.ftw, &tools.backend, &tools.tests] {
            path.metadata().with_context(|| format!("look for {}", path.display()))?;
        }
        process::run(process::command("python3").args(["-c", "import yaml"]))
            .context("the runner wants the packages python3 and python3-yaml")?;
        Ok(tools)
    }
}

pub struct Runner<'a> {
    tools: &'a Tools,
    run: &'a Run,
}

impl<'a> Runner<'a> {
    pub fn new(tools: &'a Tools, run: &'a Run) -> Self {
        Self { tools, run }
    }

    pub fn against_node(&self, node: &Node) -> Result<Outcome> {
        self.outcome(self.command(node))
    }

    pub fn against_host(&self, host: &Host) -> Result<Outcome> {
        let mut command = self.runner(&host.address.to_string(), &host.log);
        command.args(["--log-format", "modsec", "--settle-ms", SETTLE_MS]);
        self.outcome(command)
    }

    /// Why the node's HTTP layer refuses the request of a test, if it does: the test is sent once more.
    pub fn refusal(&self, node: &Node, id: &str) -> Result<Option<String>> {
        let before = fs::read_to_string(&node.events).unwrap_or_default().len();
        let mut command = self.command(node);
        command.args(["--include", &format!("^{id}$")]);
        let outcome = self.outcome(command)?;
        if outcome.tests.values().all(|test| test.is_served()) {
            return Ok(None);
        }
        let told = interrupt::until("the event of a refusal", TOLD, || {
            let events = fs::read_to_string(&node.events).unwrap_or_default();
            let new = events.get(before..).unwrap_or_default().lines();
            let mut new = new.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            Ok(new.find(|event| event["stage"] == "http"))
        });
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        match told {
            Ok(event) => {
                let status = event["status"].to_string();
                Ok(Some(format!("{status}, {}: {}", text(&event, "reason"), text(&event, "detail"))))
            }
            // An error of the origin is an answer like another.
            Err(error) if error.is::<interrupt::Interrupted>() => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn command(&self, node: &Node) -> Command {
        let mut command = self.runner(&node.address.to_string(), &node.requests);
        command.args(["--log-format", "jsonl", "--correlate", "port", "--jsonl-ids-field", "rules"]);
        command.args(["--jsonl-port-field", "client_port", "--jobs", JOBS]);
        command
    }

    fn runner(&self, target: &str, log: &Path) -> Command {
        let mut command = process::command("python3");
        command.arg(&self.tools.ftw).arg("--tests").arg(&self.tools.tests);
        command.args(["--timeout", TIMEOUT_S, "--marker-wait", LOGGED_WITHIN_S]);
        command.args(["--quiet", "--target", target, "--log"]).arg(log);
        command
    }

    fn outcome(&self, mut command: Command) -> Result<Outcome> {
        interrupt::check()?;
        let file = self.run.folder().join("outcome.json");
        command.arg("--out").arg(&file);
        let output = process::capture(&mut command)?;
        // 1: tests failed, which is an outcome.
        if !matches!(output.status.code(), Some(0 | 1)) {
            bail!("{}: {}", process::line(&command), String::from_utf8_lossy(&output.stderr));
        }
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        Outcome::read(&serde_json::from_str(&text).context("read what the runner wrote")?)
    }
}

/// What became of all tests.
pub struct Outcome {
    /// By file, id, and how many of that id came before in the file.
    pub tests: BTreeMap<(String, String, usize), Test>,
    skipped: usize,
}

/// One test that was run.
pub struct Test {
    kind: String,
    /// Why it failed.
    failure: Option<String>,
    pub stages: Vec<Stage>,
}

/// One request of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// None: no answer.
    pub status: Option<u64>,
    pub ids: BTreeSet<u64>,
}

impl Test {
    /// Each request got an answer that is no error of ours.
    fn is_served(&self) -> bool {
        self.stages.iter().all(|stage| stage.status.is_some_and(|status| status < 400))
    }
}

impl Outcome {
    pub fn read(value: &Value) -> Result<Self> {
        let results = value["results"].as_array().context("the runner wrote no results")?;
        let mut outcome = Self { tests: BTreeMap::new(), skipped: 0 };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for result in results {
            if result["result"] == "skip" {
                outcome.skipped += 1;
                continue;
            }
            let stages = result["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
            let test = Test {
                kind: text(&result["kind"]),
                failure: (result["result"] == "fail").then(|| text(&result["reason"])),
                stages: stages.iter().map(stage).collect(),
            };
            let (file, id) = (text(&result["file"]), text(&result["id"]));
            let mut number = 0;
            while outcome.tests.contains_key(&(file.clone(), id.clone(), number)) {
                number += 1;
            }
            outcome.tests.insert((file, id, number), test);
        }
        Ok(outcome)
    }

    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tests.iter().filter_map(|((_, id, _), test)| Some((id.as_str(), test.failure.as_deref()?)))
    }

    pub fn has_failed(&self, id: &str) -> bool {
        self.failures().any(|(failed, _)| failed == id)
    }
}

fn stage(value: &Value) -> Stage {
    let ids = value["ids"].as_array().into_iter().flatten().filter_map(Value::as_u64);
    Stage { status: value["status"].as_u64(), ids: ids.collect() }
}

/// The cells of a table's row.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failures().count();
        write!(f, "{} | {failed} | {}", self.tests.len() - failed, self.skipped)?;
        for kind in ["positive", "negative", "http"] {
            let of_kind = || self.tests.values().filter(|test| test.kind == kind);
            let passed = of_kind().filter(|test| test.failure.is_none()).count();
            write!(f, " | {passed}/{}", of_kind().count())?;
        }
        Ok(())
    }
}
