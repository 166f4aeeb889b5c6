//! `waf import`: an export -> an empty store.

use std::path::PathBuf;

use clap::Args;
use http::Method;
use waf_user::control::api::words::Imported;

use super::Outcome;
use super::at_control::AtControl;
use super::show;

/// Read an export into a control plane that is still empty (operators).
#[derive(Args)]
#[command(after_help = "Example:\n  waf import fleet.export\n\n\
    Exit codes: 0 done, 1 failed or refused, 2 wrong usage.")]
pub struct Import {
    /// What `waf export` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

impl Import {
    pub fn run(self) -> Outcome {
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| format!("read {}: {error}", self.file.display()))?;
        let imported: Imported =
            self.at.client()?.send_text(Method::POST, "/v1/import", "text/plain; charset=utf-8", text)?;
        if self.json {
            return show::json(&imported);
        }
        let Imported { revision, sites, environments, nodes } = imported;
        show::print(&format!(
            "imported at revision {revision}: {sites} sites, {environments} environments, {nodes} nodes\n"
        ))
    }
}
