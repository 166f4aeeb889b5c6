//! `cargo xtask test --crs`: the regression tests of the Core Rule Set over the network, against a running node and against
//! Debian's Apache with mod_security2, and the rules that the two log compared test by test.

mod compare;
mod runner;
mod targets;

use std::ffi::OsStr;

use anyhow::{Result, bail, ensure};

use self::compare::Comparison;
use self::runner::{Outcome, Runner, Tools};
use self::targets::{Backend, Host, Node, RuleFiles};
use crate::build::{self, Profile};
use crate::lab::run::Run;
use crate::say;
use crate::{interrupt, setup};

/// Share of tests whose rules must be the same.
const IDENTICAL_MIN: f64 = 0.97;

/// Runs it.
///
/// # Errors
/// A test fails on the node that Apache passes and that the HTTP layer did not refuse, or too many log other rules.
pub fn run() -> Result<()> {
    setup::run()?;
    let tools = Tools::find()?;
    let apache = setup::apache::ready()?;
    let built = build::run(Profile::Dev)?;
    interrupt::guard(["test", "--crs"].map(OsStr::new))?;
    let run = Run::begin()?;
    let backend = Backend::start(&run, &tools)?;
    let files = RuleFiles::write(&run, &apache)?;

    say!("crs: a node with the files that Apache has");
    let node = Node::start(&run, "same", &built, &backend, &files.all())?;
    let runner = Runner::new(&tools, &run);
    let same = runner.against_node(&node)?;
    say!("crs: a node without a base configuration: the engine's own defaults");
    let bare = Node::start(&run, "own", &built, &backend, &files.without_base())?;
    let own = runner.against_node(&bare)?;
    say!("crs: Apache with mod_security2");
    let host = Host::start(&run, &apache, &backend, &files)?;
    let reference = runner.against_host(&host)?;

    say!("\n| | passed | failed | skipped | positive | negative | http |\n|---|---|---|---|---|---|---|");
    for (name, outcome) in [("node", &same), ("node, own defaults", &own), ("Apache", &reference)] {
        say!("| {name} | {outcome} |");
    }
    let mut left = 0;
    for (name, node, outcome) in [("node", &node, &same), ("node, own defaults", &bare, &own)] {
        say!("\nfailed on {name}:");
        left += told(&runner, node, outcome, &reference)?;
    }
    let comparison = Comparison::of(&same, &reference);
    say!("\n{comparison}");
    for difference in &comparison.differences {
        say!("  {}{difference}", refusal(&runner, &node, &difference.id)?);
    }
    if left > 0 {
        bail!("{left} tests fail on a node and neither on Apache nor in the HTTP layer");
    }
    ensure!(comparison.share() >= IDENTICAL_MIN, "fewer than {IDENTICAL_MIN} log the same rules");
    Ok(())
}

/// Prints each failure with its reason; how many of them are neither Apache's too nor the HTTP layer's.
fn told(runner: &Runner<'_>, node: &Node, outcome: &Outcome, reference: &Outcome) -> Result<usize> {
    let mut left = 0;
    for (id, reason) in outcome.failures() {
        let refused = refusal(runner, node, id)?;
        let shared = if reference.has_failed(id) { "Apache fails too; " } else { "" };
        left += usize::from(refused.is_empty() && shared.is_empty());
        say!("  {shared}{refused}{id}: {reason}");
    }
    Ok(left)
}

/// Why the HTTP layer refuses a test's request; empty where it does not.
fn refusal(runner: &Runner<'_>, node: &Node, id: &str) -> Result<String> {
    let refused = runner.refusal(node, id)?;
    Ok(refused.map(|reason| format!("HTTP layer refuses ({reason}); ")).unwrap_or_default())
}
