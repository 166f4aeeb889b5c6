//! `waf kernel`: load, swap, unload and inspect the kernel half, as root and for a moment only.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use waf_user::config;
use waf_user::kernel::{Force, LogLevel, SwapTo, inspect, load, swap, unload};

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
        #[command(flatten)]
        log: Log,
    },
    /// Put other programs behind the attached links, without a packet lost; the maps stay
    #[command(after_help = "Examples:\n  sudo waf kernel swap --config /etc/waf/node.toml\n  \
                            sudo waf kernel swap --config /etc/waf/node.toml --object ./waf.bpf.o\n  \
                            sudo waf kernel swap --config /etc/waf/node.toml --rollback")]
    Swap {
        #[command(flatten)]
        file: ConfigFile,
        /// BPF object instead of [node] kernel_object
        #[arg(long, value_name = "FILE", conflicts_with = "rollback")]
        object: Option<PathBuf>,
        /// Go back to the programs before the last swap; twice goes forth again
        #[arg(long)]
        rollback: bool,
        #[command(flatten)]
        log: Log,
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
struct Log {
    /// Which complaints of the kernel half reach the log: those of this level and worse ones
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Warn)]
    log_level: Level,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::Off,
            Level::Error => Self::Error,
            Level::Warn => Self::Warn,
            Level::Info => Self::Info,
        }
    }
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
            Action::Load { file, object, log } => {
                let (settings, _) = config::load(&file.config)?;
                let loaded = load(&settings, object.as_deref(), log.log_level.into())?;
                writeln!(
                    out,
                    "loaded on {} ({}), pins in {}; every packet passes until a node runs",
                    loaded.interface,
                    loaded.mode,
                    loaded.pins.schema().display()
                )?;
            }
            Action::Swap { file, object, rollback, log } => {
                let (settings, _) = config::load(&file.config)?;
                let object = object.as_deref().unwrap_or(&settings.kernel_object);
                let to = match rollback {
                    true => SwapTo::Previous,
                    false => SwapTo::Object(object, log.log_level.into()),
                };
                for program in swap(&settings, to)? {
                    writeln!(out, "{}: program {} instead of {}", program.name, program.new_id, program.old_id)?;
                }
                writeln!(out, "the ones before stay pinned: waf kernel swap --rollback goes back")?;
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
