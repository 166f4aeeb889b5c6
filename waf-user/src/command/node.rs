//! `waf node`.

use clap::Args;

use super::Outcome;

#[derive(Args)]
pub struct Node {}

impl Node {
    pub fn run(self) -> Outcome {
        Err("this subcommand is being written".into())
    }
}
