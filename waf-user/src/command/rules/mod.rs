//! `waf rules`: what rule files mean and what they do, without a node.

mod check;
mod explain;
mod replay;
mod sources;
mod test;

use std::error::Error;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use waf_user::model::chain;

/// Check, explain, test and replay rules, without a node.
#[derive(Args)]
pub struct Rules {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Explain(explain::Explain),
    Test(test::Test),
    Replay(replay::Replay),
}

/// What a subcommand found: whether all is well. An error: it could not look.
type Found = Result<bool, Box<dyn Error>>;

impl Rules {
    /// Exit codes: 0 all is well, 1 something is wrong with what was looked at, 2 it could not be looked at.
    pub fn run(self) -> ExitCode {
        let found = match self.command {
            Command::Check(check) => check.run(),
            Command::Explain(explain) => explain.run(),
            Command::Test(test) => test.run(),
            Command::Replay(replay) => replay.run(),
        };
        match found {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("error: {}", chain(error.as_ref()));
                ExitCode::from(2)
            }
        }
    }
}

/// The name of a severity, as in syslog.
fn severity(number: u8) -> &'static str {
    let names = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];
    names.get(usize::from(number)).copied().unwrap_or("unknown")
}
