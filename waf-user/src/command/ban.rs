//! `waf ban`.

use clap::Args;

use super::Outcome;

#[derive(Args)]
pub struct Ban {}

impl Ban {
    pub fn run(self) -> Outcome {
        Err("this subcommand is being written".into())
    }
}
