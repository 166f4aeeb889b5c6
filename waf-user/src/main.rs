//! The binary `waf`: turns a command line into a call of the library and an error into a message and an exit code.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
