//! `cargo xtask demo`: the main job end to end on real interfaces with real clients, one line a step with its figure.

pub mod bans;
pub mod cleanup;
pub mod evidence;
pub mod failures;
pub mod requests;
pub mod traffic;
pub mod workers;

use anyhow::{Result, bail};

use crate::build::Built;
use crate::interrupt::{self, Interrupted};
use crate::lab::{Lab, LabOptions, guide};
use crate::say;

pub use traffic::{ATTACKS, BENIGN, Sample};

/// A step: its name, and what shows it. What it returns is its figure.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub name: &'static str,
    pub run: fn(&mut Lab) -> Result<String>,
}

/// All steps that want the lab up, in the order in which each leaves the lab as the next expects it. The integration
/// tests call the same functions, each on a lab of its own.
pub const STEPS: [Step; 10] = [
    Step { name: "both nodes serve, as an ordinary user without capability", run: requests::unprivileged },
    Step { name: "clean requests pass", run: requests::clean },
    Step { name: "benign list passed", run: requests::benign },
    Step { name: "attacks refused, each event found by its id", run: requests::attacks },
    Step { name: "detect mode passes and logs attacks, bans nobody", run: requests::detect },
    Step { name: "attacker dropped in the kernel", run: bans::dropped },
    Step { name: "ban lifted", run: bans::lifted },
    Step { name: "each tenant's flows on its own workers", run: workers::own },
    Step { name: "the kernel drops on after kill -9 of the node", run: failures::killed },
    Step { name: "carrier A gone, nothing lost after the first retry", run: failures::carrier_gone },
];

/// Runs all steps; stops at the first that fails, and clears away in any case.
///
/// # Errors
/// A step fails, or the demo is stopped.
pub fn run(built: &Built, serve: bool) -> Result<()> {
    say!("demo: two carriers, a client and an origin in network namespaces");
    let mut lab = Lab::start(built, LabOptions::default())?;
    for (index, step) in STEPS.iter().enumerate() {
        show(&mut lab, index + 1, step)?;
    }
    if serve {
        say!("\n{}", guide::text(&lab));
        interrupt::wait();
    }
    let left = cleanup::Traces::of(&lab);
    drop(lab);
    let number = STEPS.len() + 1;
    match left.found() {
        found if found.is_empty() => say!("ok   {number:>2}  everything cleared away: {left}"),
        found => bail!("step {number}: left behind: {}", found.join(", ")),
    }
    say!("demo: all {number} steps shown");
    Ok(())
}

fn show(lab: &mut Lab, number: usize, step: &Step) -> Result<()> {
    match (step.run)(lab).and_then(|figure| interrupt::check().map(|()| figure)) {
        Ok(figure) => {
            say!("ok   {number:>2}  {}: {figure}", step.name);
            Ok(())
        }
        Err(error) if error.is::<Interrupted>() => Err(error),
        Err(error) => {
            say!("FAIL {number:>2}  {}: {error:#}\n{}", step.name, lab.logs());
            bail!("step {number} failed")
        }
    }
}
