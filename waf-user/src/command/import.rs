//! `waf import`: an export -> an empty store.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use waf_user::control::serve::{Imported, import};
use waf_user::control::settings::ControlSettings;

use super::Outcome;
use super::show;

/// Read an export into the store that control.toml names, which no waf control has opened yet.
///
/// The key file of the control plane that was exported has to be in its place before: it opens the secrets. An import that
/// broke off is begun again with the same command.
#[derive(Args)]
#[command(after_help = "Example:\n  install -m 600 secret.keys /var/lib/waf-control/\n  \
    waf import fleet.export --config /etc/waf/control.toml\n\n\
    Exit codes: 0 done, 1 failed or refused, 2 wrong usage.")]
pub struct Import {
    /// What `waf export` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The control.toml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub fn run(self) -> Outcome {
        let settings = ControlSettings::load(&self.config)?;
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} entries {eta}")?);
        let imported = import(&settings, &self.file, |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        let Imported { revision, sites, environments, nodes } = imported?;
        let revision = revision.0;
        if self.json {
            return show::json(&json!({
                "revision": revision, "sites": sites, "environments": environments, "nodes": nodes,
            }));
        }
        let counts = [(sites, "site"), (environments, "environment"), (nodes, "node")];
        let counts = counts.map(|(count, noun)| show::count(count, noun)).join(", ");
        show::print(&format!("imported as of revision {revision}: {counts}\n"))
    }
}
