//! `waf event`.

use clap::Args;

use super::Outcome;

#[derive(Args)]
pub struct Event {}

impl Event {
    pub fn run(self) -> Outcome {
        Err("this subcommand is being written".into())
    }
}
