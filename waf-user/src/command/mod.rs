//! The subcommands, one file each; what they do lies in the library.

mod at_control;
mod audit;
mod ban;
mod bench;
mod control;
mod customer;
mod event;
mod explain_packet;
mod export;
mod fleet;
mod import;
mod kernel;
mod node;
mod node_ctl;
mod node_join;
mod planned;
mod rules;
mod show;
mod site;
mod token;

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// A cloud WAF: kernel filter, inspection node and their tools.
///
/// A node has two halves: an XDP program that drops and steers packets, and a process without privilege that ends TLS,
/// reads HTTP, runs the rules and passes on what is clean.
#[derive(Parser)]
#[command(
    name = "waf",
    version,
    arg_required_else_help = true,
    after_help = "First steps:\n  waf node --check --config node.toml       say what is wrong in a configuration\n  \
        sudo waf kernel load --config node.toml   put the kernel half in place\n  \
        waf node --config node.toml               serve, as the user that node.toml names\n\n\
        Every command has --help with an example."
)]
struct Waf {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load, unload or inspect the kernel half (root, short-lived)
    Kernel(kernel::Kernel),
    /// Serve the tenants of a configuration (no privilege)
    Node(node::Node),
    /// Ask or command a running node: status, reload, drain
    NodeCtl(node_ctl::NodeCtl),
    /// Join a fleet with a one-time token
    NodeJoin(node_join::NodeJoin),
    /// Serve the control plane: the API, and the nodes
    Control(control::Control),
    /// Plan, apply and look at sites (control plane)
    Site(site::Site),
    /// List, add, drain and empty nodes (control plane, operators)
    Fleet(fleet::Fleet),
    /// List, add and remove customers (control plane, operators)
    Customer(customer::Customer),
    /// Make, list and revoke tokens of the API (control plane, operators)
    Token(token::Token),
    /// Show who changed what and when (control plane, operators)
    Audit(audit::Audit),
    /// Write all that the control plane keeps as one text (operators)
    Export(export::Export),
    /// Read an export into an empty store, before waf control opens it
    Import(import::Import),
    /// List, add, remove or import bans: on this node, or of the fleet
    Ban(ban::Ban),
    /// Find an event by its id
    Event(event::Event),
    /// Measure what this machine can carry
    Bench(bench::Bench),
    /// Check, explain, test and replay rules, without a node
    Rules(rules::Rules),
    /// Show what the kernel half does with one frame, and why (root)
    ExplainPacket(explain_packet::ExplainPacket),
}

/// Parses the command line and runs it. Exit codes: 0 done, 1 failed, 2 wrong usage.
pub fn run() -> ExitCode {
    let result = match Waf::parse().command {
        Command::Kernel(kernel) => kernel.run(),
        Command::Node(node) => node.run(),
        Command::NodeCtl(node_ctl) => node_ctl.run(),
        Command::NodeJoin(join) => join.run(),
        Command::Control(control) => control.run(),
        Command::Site(site) => site.run(),
        Command::Fleet(fleet) => fleet.run(),
        Command::Customer(customer) => customer.run(),
        Command::Token(token) => token.run(),
        Command::Audit(audit) => audit.run(),
        Command::Export(export) => export.run(),
        Command::Import(import) => import.run(),
        Command::Ban(ban) => ban.run(),
        Command::Event(event) => event.run(),
        Command::ExplainPacket(explain) => explain.run(),
        Command::Bench(bench) => bench.run(),
        Command::Rules(rules) => return rules.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", waf_user::model::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// What the long-running commands say of themselves: RUST_LOG's levels, or info.
fn log_to_stderr() {
    let level = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// What a subcommand returns.
type Outcome = Result<(), Box<dyn Error>>;
