//! `waf node-ctl`: commands to a running node over its control.sock.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use waf_user::config;
use waf_user::node::control::{Reply, Request, Status};
use waf_user::node::control_sock;
use waf_user::node::standing::WithControl;

use super::Outcome;

/// Ask or command a running node.
///
/// Root and the node's own user may do so. The node is found by the state_dir of its node.toml.
#[derive(Args)]
#[command(after_help = "Examples:\n  waf node-ctl status --config /etc/waf/node.toml\n  \
    waf node-ctl reload --config /etc/waf/node.toml\n  \
    waf node-ctl drain --config /etc/waf/node.toml\n\n\
    Exit codes: 0 done, 1 refused or failed, 2 wrong usage.")]
pub struct NodeCtl {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show what the node serves and in which phase it is
    #[command(after_help = "Examples:\n  waf node-ctl status --config /etc/waf/node.toml\n  \
                            waf node-ctl status --json --config /etc/waf/node.toml | jq .generation")]
    Status(Target),
    /// Serve what node.toml says now, without closing a connection; a mistake in it changes nothing
    #[command(after_help = "Example:\n  waf node-ctl reload --config /etc/waf/node.toml\n\n\
                            What is bound, opened or loaded once (interface, user, workers, state_dir, listeners, \
                            logs) is refused: restart the node, or `waf node --take-over`.")]
    Reload(Target),
    /// Refuse new connections, finish requests under way, end the node
    #[command(after_help = "Example:\n  waf node-ctl drain --config /etc/waf/node.toml")]
    Drain(Target),
}

#[derive(Args)]
struct Target {
    /// The node's node.toml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl NodeCtl {
    pub fn run(self) -> Outcome {
        let (target, request) = match self.action {
            Action::Status(target) => (target, Request::Status {}),
            Action::Drain(target) => (target, Request::Drain {}),
            Action::Reload(target) => {
                let request = Request::Reload { config: Some(absolute(&target.config)?) };
                (target, request)
            }
        };
        // A file with mistakes still tells where the node is, which is to tell of the mistakes.
        let state_dir = match config::state_dir(&target.config) {
            Some(state_dir) => state_dir,
            None => config::load(&target.config)?.0.state_dir,
        };
        let reply = control_sock::ask(&state_dir, &request).map_err(|error| explain(&error, &state_dir))?;
        print(&reply, target.json)
    }
}

fn absolute(path: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let path = std::path::absolute(path)?;
    Ok(path.to_str().ok_or("the path of node.toml is no UTF-8")?.to_owned())
}

fn explain(error: &io::Error, state_dir: &Path) -> String {
    let socket = control_sock::path(state_dir);
    let socket = socket.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            format!("no node answers on {socket}; if state_dir was changed, it still runs with the old one")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{socket} is closed to you: become root or the node's user")
        }
        _ => format!("ask the node on {socket}: {error}"),
    }
}

fn print(reply: &Reply, json: bool) -> Outcome {
    match reply {
        Reply::Refused { error } => return Err(error.clone().into()),
        reply if json => println!("{}", serde_json::to_string(reply)?),
        Reply::Status(status) => print_status(status)?,
        Reply::Reloaded { generation, tenants, rules } => {
            println!("reloaded: generation {generation}, {tenants} tenants, {rules} rules");
        }
        _ => println!("the node drains"),
    }
    Ok(())
}

fn print_status(status: &Status) -> Outcome {
    let Status { node, phase, generation, workers, tenants, bans, kernel, control } = status;
    let phase = serde_json::to_value(phase)?;
    println!("node        {node}");
    println!("phase       {}", phase.as_str().unwrap_or_default());
    println!("generation  {generation}");
    println!("workers     {workers}");
    println!("tenants     {tenants}");
    println!("bans        {bans}");
    println!("kernel      {kernel}");
    if let Some(WithControl { connected, generation, problem }) = control {
        let stream = if *connected { "connected" } else { "not connected" };
        println!("control     {stream}, generation {generation} of its document served");
        problem.iter().for_each(|problem| println!("            {problem}"));
    }
    Ok(())
}
