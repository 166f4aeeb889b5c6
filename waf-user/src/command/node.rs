//! `waf node`: the inspection node in the foreground.

use std::path::PathBuf;

use clap::Args;
use waf_user::config;
use waf_user::node::check::{Checked, check};
use waf_user::node::{self, Start};

use super::Outcome;

/// Serve the tenants of a configuration until SIGTERM or SIGINT.
///
/// With `interface` set in node.toml the kernel half must be loaded first (`waf kernel load`), and the node runs as
/// the user that node.toml names, with no capability. Without `interface` it binds the real addresses and ports and
/// filters no packet.
#[derive(Args)]
#[command(after_help = "Examples:\n  waf node --config /etc/waf/node.toml --check\n  \
    setpriv --reuid waf --regid waf --init-groups waf node --config /etc/waf/node.toml\n  \
    waf node --config /etc/waf/node.toml --take-over\n\n\
    Signals: SIGHUP reloads node.toml, SIGTERM and SIGINT drain for at most 10 s and stop (a second one stops at \
    once), SIGUSR1 reopens the logs.\n\
    RUST_LOG sets what is logged to stderr (default: info).\n\
    Exit codes: 0 stopped or checked, 1 failed, 2 wrong usage.")]
pub struct Node {
    /// The node.toml to serve
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Read configuration, certificates and rules, say what is wrong in them, and serve nothing
    #[arg(long)]
    check: bool,
    /// Serve in the place of the node that runs, without losing a connection; it drains and ends
    #[arg(long, conflicts_with = "check")]
    take_over: bool,
}

impl Node {
    pub fn run(self) -> Outcome {
        let (settings, config) = config::load(&self.config)?;
        if self.check {
            let Checked { tenants, rules, notes } = check(&settings, &config)?;
            notes.iter().for_each(|note| println!("note: {note}"));
            println!("ok: {}, {}", counted(tenants, "tenant"), counted(rules, "rule"));
            return Ok(());
        }
        super::log_to_stderr();
        let start = if self.take_over { Start::TakeOver } else { Start::Fresh };
        Ok(node::run(&settings, config, &self.config, start)?)
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
