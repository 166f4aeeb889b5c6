//! `waf fleet`: the nodes of a control plane.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;
use waf_user::control::api::words::{
    EvacuationNew, JoinToken, JoinTokenNew, NodeStateView, NodeView, Nodes, NodesPut, PlanView, RatesView,
    StandingView,
};
use waf_user::control::client::Client;

use super::Outcome;
use super::at_control::{AtControl, segment};
use super::planned::{self, Manner};
use super::show;

/// Moves of one evacuation, where nothing is said: few enough to be looked at.
const MOVES_DEFAULT: u32 = 50;

/// List, add, drain and empty the nodes of a control plane (operators).
#[derive(Args)]
#[command(after_help = "Examples:\n  waf fleet apply inventory.toml\n  waf fleet token node-a1\n  \
    waf fleet drain node-a1\n  waf fleet evacuate --moves-max 20\n\n\
    An inventory file has a [[node]] for each node:\n  [[node]]\n  name = \"node-a1\"\n  carrier = \"carrier-a\"\n  \
    region = \"tokyo\"\n  capacity = { requests_s = 40000, mbit_s = 9000, handshakes_s = 4000 }\n  \
    ipv4 = [\"192.0.2.0/26\"]\n  ipv6 = \"2001:db8:a:1::/96\"\n  sources = [\"198.51.100.2\"]\n\n\
    Exit codes: 0 done, 1 failed, refused or not agreed to, 2 wrong usage.")]
pub struct Fleet {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add the nodes of an inventory file, and change those that are there; takes none away
    #[command(after_help = "Example:\n  waf fleet apply inventory.toml --yes")]
    Apply(Apply),
    /// List all nodes with what is reserved on them
    #[command(after_help = "Example:\n  waf fleet list --json")]
    List(List),
    /// A node serves what it has and takes nothing more
    #[command(after_help = "Example:\n  waf fleet drain node-a1")]
    Drain(Named),
    /// A drained or dead node takes sites again
    #[command(after_help = "Example:\n  waf fleet undrain node-a1")]
    Undrain(Named),
    /// A node is gone for good
    #[command(after_help = "Example:\n  waf fleet dead node-a1")]
    Dead(Named),
    /// Move sites away from draining and dead nodes: shows the plan and asks
    #[command(after_help = "Example:\n  waf fleet evacuate --moves-max 20")]
    Evacuate(Evacuate),
    /// Take a node without sites out of the inventory
    #[command(after_help = "Example:\n  waf fleet remove node-a1")]
    Remove(Named),
    /// Take a node's certificates away: it is refused until it joins again
    #[command(after_help = "Example:\n  waf fleet revoke node-a1")]
    Revoke(Named),
    /// Make a token with which a node may join, once
    #[command(after_help = "Example:\n  waf fleet token node-a1 --seconds 600")]
    Token(Token),
}

#[derive(Args)]
struct Apply {
    /// The inventory, TOML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Change it unasked
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Named {
    /// The node's name
    node: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Evacuate {
    /// At most this many sites move
    #[arg(long, value_name = "N", default_value_t = MOVES_DEFAULT)]
    moves_max: u32,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Token {
    /// The node's name
    node: String,
    /// How long it may be used; an hour where nothing is said
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

impl Fleet {
    pub fn run(self) -> Outcome {
        match self.action {
            Action::Apply(apply) => apply.run(),
            Action::List(list) => list.run(),
            Action::Drain(named) => named.run(Method::POST, "/drain", "draining"),
            Action::Undrain(named) => named.run(Method::POST, "/undrain", "active"),
            Action::Dead(named) => named.run(Method::POST, "/dead", "dead"),
            Action::Remove(named) => named.run(Method::DELETE, "", "removed"),
            Action::Revoke(named) => named.run(Method::POST, "/revoke", "refused until it joins again"),
            Action::Evacuate(Evacuate { moves_max, manner, at }) => {
                let mut client = at.client()?;
                let plan: PlanView =
                    client.send(Method::POST, "/v1/plans/evacuation", &EvacuationNew { moves_max })?;
                planned::apply_plan(&mut client, &plan, &manner)
            }
            Action::Token(token) => token.run(),
        }
    }
}

impl Apply {
    fn run(self) -> Outcome {
        let wanted = read_inventory(&self.file)?;
        let mut client = self.at.client()?;
        let today: Nodes = client.get("/v1/nodes")?;
        let changes = changes(&today.nodes, &wanted.nodes);
        let text: String = changes.iter().map(|line| show::lines(line)).collect();
        if self.json {
            eprint!("{text}");
        } else {
            show::print(&text)?;
        }
        if changes.is_empty() {
            return if self.json { show::json(&Value::Null) } else { show::print("nothing to change\n") };
        }
        if !show::agreed("Change the fleet so?", self.yes)? {
            return Err("nothing was changed".into());
        }
        let answer: Value = put(&mut client, &wanted)?;
        if self.json { show::json(&answer) } else { show::print("applied\n") }
    }
}

fn put(client: &mut Client, wanted: &NodesPut) -> Result<Value, Box<dyn Error>> {
    Ok(client.send(Method::PUT, "/v1/nodes", wanted)?)
}

fn read_inventory(path: &Path) -> Result<NodesPut, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let read = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    Ok(read.map_err(|error| format!("{} is no inventory:\n{}", path.display(), show::lines(&error)))?)
}

/// One line for each node that is new and each field that becomes another.
fn changes(today: &[NodeView], wanted: &[NodeView]) -> Vec<String> {
    let mut lines = Vec::new();
    for node in wanted {
        let Some(before) = today.iter().find(|before| before.name == node.name) else {
            lines.push(format!("{}: new at {}, {}", node.name, node.carrier, rates(node.capacity)));
            continue;
        };
        let mut field = |name: &str, before: String, after: String| {
            if before != after {
                lines.push(format!("{}: {name} {before} -> {after}", node.name));
            }
        };
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        field("carrier", before.carrier.clone(), node.carrier.clone());
        field("region", before.region.clone(), node.region.clone());
        field("residency", before.residency.clone(), node.residency.clone());
        field("capacity", rates(before.capacity), rates(node.capacity));
        field("ipv4", before.ipv4.join(" "), node.ipv4.join(" "));
        field("ipv6", or_none(&before.ipv6), or_none(&node.ipv6));
        field("sources", before.sources.join(" "), node.sources.join(" "));
        if let Some(after) = node.state {
            field("state", state(before.state.unwrap_or_default()), state(after));
        }
    }
    lines
}

fn rates(rates: RatesView) -> String {
    format!("{} requests/s {} Mbit/s {} handshakes/s", rates.requests_s, rates.mbit_s, rates.handshakes_s)
}

fn state(state: NodeStateView) -> String {
    let word = match state {
        NodeStateView::Active => "active",
        NodeStateView::Draining => "draining",
        NodeStateView::Dead => "dead",
    };
    word.to_owned()
}

impl List {
    fn run(self) -> Outcome {
        let nodes: Nodes = self.at.client()?.get("/v1/nodes")?;
        if self.json {
            return show::json(&nodes);
        }
        let rows: Vec<_> = nodes.nodes.iter().map(row).collect();
        show::table(
            [
                "NODE",
                "CARRIER",
                "REGION",
                "STATE",
                "SERVES",
                "ENVIRONMENTS",
                "REQUESTS/S",
                "MBIT/S",
                "HANDSHAKES/S",
            ],
            &rows,
        )
    }
}

fn row(node: &NodeView) -> [String; 9] {
    let used = node.reserved.unwrap_or_default();
    [
        node.name.clone(),
        node.carrier.clone(),
        node.region.clone(),
        state(node.state.unwrap_or_default()),
        serves(node.standing.as_ref()),
        node.environments.unwrap_or_default().to_string(),
        share(used.requests_s, node.capacity.requests_s),
        share(used.mbit_s, node.capacity.mbit_s),
        share(used.handshakes_s, node.capacity.handshakes_s),
    ]
}

/// Which generation, and what of it is not as it should be.
fn serves(standing: Option<&StandingView>) -> String {
    let Some(standing) = standing else { return "not connected".to_owned() };
    let StandingView { generation, target, .. } = standing;
    match (standing.is_ahead, &standing.refused, standing.is_current, standing.is_ready) {
        (true, ..) => format!("{generation}, ahead of {target}"),
        (_, Some(why), ..) => format!("{generation}, refused {target}: {why}"),
        (_, _, false, _) => format!("{generation}, to be {target}"),
        (_, _, true, false) => format!("{generation}, not ready"),
        (_, _, true, true) => generation.to_string(),
    }
}

/// `1200/40000 3%`
fn share(used: u64, of: u64) -> String {
    let percent = u128::from(used) * 100 / u128::from(of.max(1));
    format!("{used}/{of} {percent}%")
}

impl Named {
    fn run(self, method: Method, what: &str, becomes: &str) -> Outcome {
        let path = format!("/v1/nodes/{}{what}", segment(&self.node));
        let answer: Value = self.at.client()?.call(method, &path)?;
        match self.json {
            true => show::json(&answer),
            false => show::print(&show::lines(&format!("{}: {becomes}", self.node))),
        }
    }
}

impl Token {
    fn run(self) -> Outcome {
        let path = format!("/v1/nodes/{}/join-token", segment(&self.node));
        let question = JoinTokenNew { seconds: self.seconds };
        let made: JoinToken = self.at.client()?.send(Method::POST, &path, &question)?;
        if self.json {
            return show::json(&made);
        }
        eprint!("{}", show::lines(&format!("for {} alone, once, until {}:", made.node, made.expires)));
        show::print(&show::lines(&made.token))
    }
}

#[cfg(test)]
mod tests;
