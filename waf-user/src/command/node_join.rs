//! `waf node-join`: this node becomes a member of a fleet.

use std::path::PathBuf;

use clap::Args;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use waf_user::config;
use waf_user::node::sync::join::join;

use super::Outcome;

/// Join a fleet with a one-time token, so that control may configure this node.
///
/// Run it as the user that node.toml names: the node's key is kept in state_dir, readable by nobody else. The token names
/// the control plane's authority, so that nobody else can answer.
#[derive(Args)]
#[command(after_help = "Example:\n  \
    waf node-join --config /etc/waf/node.toml --control https://192.0.2.5:8444 --token TOKEN\n\n\
    Then write the same URL into node.toml, as `url` of [control], and start the node.\n\
    Exit codes: 0 joined, 1 refused or failed, 2 wrong usage.")]
pub struct NodeJoin {
    /// The node's node.toml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where control listens for nodes
    #[arg(long, value_name = "URL")]
    control: String,
    /// What `waf fleet token` printed for this node; it works once
    #[arg(long)]
    token: String,
}

impl NodeJoin {
    pub fn run(self) -> Outcome {
        let (settings, _) = config::load(&self.config)?;
        let control = config::parse_control(&self.control)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, join(&settings, &control, &self.token))?;
        println!("joined as {}: its certificate lies in {}", settings.name, settings.state_dir.display());
        Ok(())
    }
}
