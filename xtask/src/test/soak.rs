//! `cargo xtask test --soak`: the integration tests that have a long form, in it and one after the other: program swaps,
//! take-overs and kills under load. They see the variable and raise their counts.

use anyhow::{Result, bail};

use super::{ON_INTERFACES, Tally, Tests, integration, integration_binaries, sweep, total, watch};
use crate::build::{self, Profile};
use crate::interrupt::Reach;
use crate::{privilege, say, setup};

/// Tells the tests to take long.
pub const VARIABLE: &str = "WAF_SOAK";

/// The tests with a long form, by the beginnings of their names.
const LONG: [&str; 3] =
    ["soak::", "node::restart::killed_nodes_come_back", "node::take_over::twenty_take_overs"];

/// Runs them.
///
/// # Errors
/// No root to be had, or a test fails.
pub fn run() -> Result<()> {
    setup::run()?;
    if !privilege::is_reachable() {
        bail!("test --soak needs root, and there is no sudo on this machine: run it as root");
    }
    // A thousand swaps load the object a thousand times: ten minutes in the dev build.
    let built = build::run(Profile::Release)?;
    let mut tally = Tally::default();
    say!("test: long tests: {}", LONG.join(", "));
    sweep()?;
    for binary in integration_binaries(&ON_INTERFACES)? {
        let mut command = integration(&binary, &built, Tests::Long)?;
        // Their figures are what a soak is for: shown as they come.
        command.args(["--", "--test-threads=1", "--nocapture"]).args(LONG);
        watch(&mut command, Reach::Child, &mut tally)?;
    }
    total(&tally)
}
