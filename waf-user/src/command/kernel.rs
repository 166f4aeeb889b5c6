//! `waf kernel`: load, unload and inspect the kernel half, as root and for a moment only.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use waf_user::config;
use waf_user::kernel::{Force, inspect, load, unload};

use super::Outcome;

/// The kernel half of one node, by its node.toml.
#[derive(Args)]
pub struct Kernel {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Load and attach; passes every packet until a node runs
    #[command(after_help = "Example:\n  sudo waf kernel load --config /etc/waf/node.toml")]
    Load {
        #[command(flatten)]
        file: ConfigFile,
        /// BPF object instead of [node] kernel_object
        #[arg(long, value_name = "FILE")]
        object: Option<PathBuf>,
    },
    /// Detach and remove all that load made
    #[command(after_help = "Example:\n  sudo waf kernel unload --config /etc/waf/node.toml")]
    Unload {
        #[command(flatten)]
        file: ConfigFile,
        /// Unload although a node is running: its sites then answer no more
        #[arg(long)]
        force: bool,
    },
    /// Show programs, maps, counters, tenants and bans
    #[command(after_help = "Examples:\n  sudo waf kernel inspect --config /etc/waf/node.toml\n  \
                            sudo waf kernel inspect --config /etc/waf/node.toml --json | jq .counters")]
    Inspect {
        #[command(flatten)]
        file: ConfigFile,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct ConfigFile {
    /// node.toml of the node
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Kernel {
    pub fn run(self) -> Outcome {
        let mut out = io::stdout().lock();
        match self.action {
            Action::Load { file, object } => {
                let (settings, _) = config::load(&file.config)?;
                let loaded = load(&settings, object.as_deref())?;
                writeln!(
                    out,
                    "loaded on {} ({}), pins in {}; every packet passes until a node runs",
                    loaded.interface,
                    loaded.mode,
                    loaded.pins.schema().display()
                )?;
            }
            Action::Unload { file, force } => {
                let (settings, _) = config::load(&file.config)?;
                unload(&settings, if force { Force::Yes } else { Force::No })?;
                writeln!(out, "unloaded node {}", settings.name)?;
            }
            Action::Inspect { file, json } => {
                let (settings, _) = config::load(&file.config)?;
                let inspection = inspect(&settings)?;
                if json {
                    writeln!(out, "{}", inspection.to_json())?;
                } else {
                    write!(out, "{inspection}")?;
                }
            }
        }
        Ok(())
    }
}
