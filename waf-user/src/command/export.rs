//! `waf export`: everything that the control plane keeps, as one text that can be compared line by line.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Outcome;
use super::at_control::AtControl;
use super::show;

/// What it holds of customers is nobody else's, though its secrets are sealed.
const FILE_MODE: u32 = 0o600;

/// Write all that the control plane keeps as one text: canonical, its secrets sealed (operators).
///
/// The text is the same for the same state, to the byte. `waf import` reads it into an empty store; to open its secrets
/// that control plane needs the same key file.
#[derive(Args)]
#[command(after_help = "Example:\n  waf export --out fleet.export\n\n\
    Exit codes: 0 done, 1 failed or refused, 2 wrong usage.")]
pub struct Export {
    /// The file to write, which must not be there yet; none: standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    at: AtControl,
}

impl Export {
    pub fn run(self) -> Outcome {
        let text = self.at.client()?.get_text("/v1/export")?;
        let Some(path) = self.out else { return show::print(&text) };
        write(&path, &text).map_err(|error| format!("write {}: {error}", path.display()))?;
        eprintln!("{}: {} bytes", path.display(), text.len());
        Ok(())
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
