//! `waf kernel`.

use clap::Args;

use super::Outcome;

#[derive(Args)]
pub struct Kernel {}

impl Kernel {
    pub fn run(self) -> Outcome {
        Err("this subcommand is being written".into())
    }
}
