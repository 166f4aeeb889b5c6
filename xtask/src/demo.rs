//! `cargo xtask demo`: the main job end to end on real interfaces with real clients, one line a step with its figure.
//! Everything that is served here came through the control plane.

pub mod alone;
pub mod bans;
pub mod cleanup;
pub mod evidence;
pub mod failures;
pub mod joining;
pub mod moving;
pub mod requests;
pub mod sites;
pub mod spread;
pub mod traffic;
pub mod workers;

use anyhow::{Result, bail};

use crate::build::Built;
use crate::interrupt::{self, Interrupted};
use crate::lab::fleet::Fleet;
use crate::lab::guide;
use crate::say;

pub use traffic::{ATTACKS, BENIGN, Sample};

/// A step: its name, and what shows it. What it returns is its figure.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub name: &'static str,
    pub run: fn(&mut Fleet) -> Result<String>,
}

/// All steps that want the fleet up, in the order in which each leaves it as the next expects it. The integration tests
/// call the same functions; those that need no control plane on labs of their own, too.
pub const STEPS: [Step; 18] = [
    Step { name: "nodes join the fleet", run: joining::joined },
    Step { name: "sheets planned, shown and applied", run: sites::opened },
    Step { name: "TLS turned on", run: sites::tls_on },
    Step { name: "peaks changed", run: sites::peaks },
    Step {
        name: "all nodes serve, as an ordinary user without capability",
        run: |fleet| requests::unprivileged(fleet.lab_mut()),
    },
    Step { name: "clean requests pass", run: |fleet| requests::clean(fleet.lab_mut()) },
    Step { name: "benign list passed", run: |fleet| requests::benign(fleet.lab_mut()) },
    Step {
        name: "attacks refused, each event found by its id",
        run: |fleet| requests::attacks(fleet.lab_mut()),
    },
    Step {
        name: "detect mode passes and logs attacks, bans nobody",
        run: |fleet| requests::detect(fleet.lab_mut()),
    },
    Step { name: "attacker dropped in the kernel, at both carriers", run: spread::banned },
    Step { name: "ban lifted, at both carriers", run: spread::lifted },
    Step { name: "each tenant's flows on its own workers", run: |fleet| workers::own(fleet.lab_mut()) },
    Step {
        name: "the kernel drops on after kill -9 of the node",
        run: |fleet| failures::killed(fleet.lab_mut()),
    },
    Step { name: "a change that must move", run: moving::moved },
    Step { name: "control plane dead, nodes restarted from disk", run: alone::served },
    Step { name: "control plane back, all converged", run: alone::converged },
    Step { name: "an older control plane sets no node back", run: alone::refused },
    Step {
        name: "carrier A gone, nothing lost after the first retry",
        run: |fleet| failures::carrier_gone(fleet.lab_mut()),
    },
];

/// Runs all steps; stops at the first that fails, and clears away in any case.
///
/// # Errors
/// A step fails, or the demo is stopped.
pub fn run(built: &Built, serve: bool) -> Result<()> {
    say!(
        "demo: two carriers with three nodes each, a control plane, a client and an origin in network namespaces"
    );
    let mut fleet = Fleet::start(built)?;
    for (index, step) in STEPS.iter().enumerate() {
        show(&mut fleet, index + 1, step)?;
    }
    if serve {
        say!("\n{}", guide::text(&fleet)?);
        interrupt::wait();
    }
    let left = cleanup::Traces::of(fleet.lab());
    drop(fleet);
    let number = STEPS.len() + 1;
    match left.found() {
        found if found.is_empty() => say!("ok   {number:>2}  everything cleared away: {left}"),
        found => bail!("step {number}: left behind: {}", found.join(", ")),
    }
    say!("demo: all {number} steps shown");
    Ok(())
}

/// What a command printed, below its own line: plans and notices are shown whole.
pub(crate) fn shown(what: &str, text: &str) {
    let lines = text.trim_end().lines().map(|line| format!("\n       | {line}"));
    say!("       {what}{}", lines.collect::<String>());
}

fn show(fleet: &mut Fleet, number: usize, step: &Step) -> Result<()> {
    match (step.run)(fleet).and_then(|figure| interrupt::check().map(|()| figure)) {
        Ok(figure) => {
            say!("ok   {number:>2}  {}: {figure}", step.name);
            Ok(())
        }
        Err(error) if error.is::<Interrupted>() => Err(error),
        Err(error) => {
            say!("FAIL {number:>2}  {}: {error:#}\n{}", step.name, fleet.logs());
            bail!("step {number} failed")
        }
    }
}
