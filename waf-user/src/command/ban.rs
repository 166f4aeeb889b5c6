//! `waf ban`: with `--config` asks the node over its control.sock, and where no node runs, root writes the kernel's block
//! list itself; with `--control` asks the control plane, for the whole fleet or one site.

mod fleet;
mod import;

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nix::unistd::geteuid;
use waf_user::config::{self, NodeConfig, NodeSettings};
use waf_user::node::control::{BanLine, Reply, Request};
use waf_user::node::{control_sock, offline};

use super::Outcome;

/// A day: an operator who wants more says so.
const TTL_S_DEFAULT: u32 = 86_400;

/// List, add, remove or import bans: with --config on this node, with --control of the whole fleet or of one site.
///
/// On a node, root and the node's own user may do so. A ban is enforced in the kernel and in the node, and closes the
/// source's open connections.
#[derive(Args)]
#[command(after_help = "Examples:\n  waf ban list --config /etc/waf/node.toml\n  \
    waf ban add 192.0.2.7 --scope tenant:1 --ttl-s 600 --config /etc/waf/node.toml\n  \
    waf ban remove 192.0.2.7 --scope tenant:1 --config /etc/waf/node.toml\n  \
    waf ban add 192.0.2.0/24 --control https://127.0.0.1:8443 --token-file token --ca ca.pem\n  \
    waf ban import drop.txt --control https://127.0.0.1:8443 --token-file token --ca ca.pem\n\n\
    Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Ban {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the bans that hold now (not the lists of node.toml)
    #[command(after_help = "Example:\n  waf ban list --json --config /etc/waf/node.toml")]
    List(List),
    /// Ban a source
    #[command(
        after_help = "Example:\n  waf ban add 2001:db8:1:2::/64 --ttl-s 3600 --config /etc/waf/node.toml"
    )]
    Add(Add),
    /// Lift a ban
    #[command(
        after_help = "Example:\n  waf ban remove 192.0.2.7 --scope tenant:1 --config /etc/waf/node.toml"
    )]
    Remove(Remove),
    /// Ban all that a list names: plain, ipset save, or decisions of CrowdSec
    #[command(
        after_help = "Examples:\n  waf ban import drop.txt --site www.example\n  ipset save | waf ban import - --format ipset\n  \
            cscli decisions list -o json | waf ban import -\n  waf ban import drop.txt --lift"
    )]
    Import(import::Import),
}

/// Whose bans: this node's, or the fleet's.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("place").required(true).args(["config", "control"]))]
struct Place {
    /// The node's node.toml: the bans of this node
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    fleet: fleet::Fleet,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Add {
    /// Address or prefix of the source
    prefix: String,
    /// Where on the node the ban holds: node, address:IP or tenant:ID
    #[arg(long, default_value = "node", conflicts_with = "control")]
    scope: String,
    /// Seconds until it ends; 0 = until removed
    #[arg(long, value_name = "N", default_value_t = TTL_S_DEFAULT)]
    ttl_s: u32,
    /// Ban also what is wider than /16 (IPv6: /32) or covers our own, origins' or trusted proxies' addresses
    #[arg(long, conflicts_with = "control")]
    force: bool,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Remove {
    /// Address or prefix, as `waf ban list` shows it
    prefix: String,
    /// The ban's scope on the node, as `waf ban list` shows it
    #[arg(long, default_value = "node", conflicts_with = "control")]
    scope: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Ban {
    pub fn run(self) -> Outcome {
        let (path, json, request) = match self.action {
            Action::Import(import) => return import.run(),
            Action::List(List { place: Place { config: Some(config), .. }, json }) => {
                (config, json, Request::BanList {})
            }
            Action::List(List { place, json }) => return place.fleet.list(json),
            Action::Add(Add { prefix, scope, ttl_s, force, place, json }) => {
                let ttl_s = (ttl_s != 0).then_some(ttl_s);
                match place.config {
                    Some(config) => (config, json, Request::BanAdd { prefix, scope, ttl_s, force }),
                    None => return place.fleet.add(prefix, ttl_s, json),
                }
            }
            Action::Remove(Remove { prefix, scope, place, json }) => match place.config {
                Some(config) => (config, json, Request::BanRemove { prefix, scope }),
                None => return place.fleet.remove(prefix, json),
            },
        };
        let (settings, config) = config::load(&path)?;
        let reply = ask(&settings, config, &request, &path)?;
        print(&request, &reply, json)
    }
}

/// The node's answer, or that of its maps where no node runs.
fn ask(
    settings: &NodeSettings,
    config: NodeConfig,
    request: &Request,
    path: &Path,
) -> Result<Reply, Box<dyn std::error::Error>> {
    let socket = control_sock::path(&settings.state_dir);
    let error = match control_sock::ask(&settings.state_dir, request) {
        Ok(reply) => return Ok(reply),
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {}
        io::ErrorKind::PermissionDenied => {
            return Err(format!(
                "{} is closed to you: become root or user {}",
                socket.display(),
                settings.user
            )
            .into());
        }
        _ => return Err(format!("ask the node on {}: {error}", socket.display()).into()),
    }
    if settings.interface.is_none() {
        return Err(format!(
            "no node answers on {}, and without `interface` only it holds bans",
            socket.display()
        )
        .into());
    }
    if !geteuid().is_root() {
        return Err(format!(
            "no node answers on {}: root may still write the kernel's list",
            socket.display()
        )
        .into());
    }
    eprintln!("no node answers on {}: using the kernel's block list itself", socket.display());
    Ok(offline::answer(settings, config, request.clone(), path)?)
}

fn print(request: &Request, reply: &Reply, json: bool) -> Outcome {
    match reply {
        Reply::Refused { error } => return Err(error.clone().into()),
        Reply::Bans { bans } if json => println!("{}", serde_json::to_string_pretty(bans)?),
        Reply::Bans { bans } => print_table(bans),
        other if json => println!("{}", serde_json::to_string(other)?),
        _ => match request {
            Request::BanAdd { prefix, scope, .. } => println!("banned: {prefix} for {scope}"),
            Request::BanRemove { prefix, scope } => println!("lifted: {prefix} for {scope}"),
            _ => println!("done"),
        },
    }
    Ok(())
}

fn print_table(bans: &[BanLine]) {
    if bans.is_empty() {
        println!("no bans");
        return;
    }
    println!("{:<43} {:<24} {:<9} ENDS IN", "PREFIX", "SCOPE", "BY");
    for ban in bans {
        let ends = ban.expires_in_s.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds} s"));
        println!("{:<43} {:<24} {:<9} {ends}", ban.prefix, ban.scope, ban.origin);
    }
}
