//! `waf audit`: who changed what, and when.

use clap::Args;
use waf_user::control::api::words::{AuditEntries, AuditEntryView};

use super::Outcome;
use super::at_control::AtControl;
use super::show;

/// Entries asked for at once: as many as the API gives.
const PAGE_LEN: usize = 1_000;

/// Show who changed what and when, the oldest first; without secrets (operators).
#[derive(Args)]
#[command(after_help = "Examples:\n  waf audit --after 1200\n  waf audit --json | jq '.[].actor'\n\n\
    Exit codes: 0 done, 1 failed or refused, 2 wrong usage.")]
pub struct Audit {
    /// Only changes after this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0)]
    after: u64,
    /// At most this many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

impl Audit {
    pub fn run(self) -> Outcome {
        let mut client = self.at.client()?;
        let mut all: Vec<AuditEntryView> = Vec::new();
        let mut after = self.after;
        loop {
            let left = self.limit.map_or(PAGE_LEN, |limit| limit.saturating_sub(all.len()).min(PAGE_LEN));
            if left == 0 {
                break;
            }
            let page: AuditEntries = client.get(&format!("/v1/audit?after={after}&limit={left}"))?;
            // Each change is printed as soon as it is here; JSON is one list and has to wait.
            if !self.json {
                show::print(&page.entries.iter().map(describe).collect::<String>())?;
            }
            all.extend(page.entries);
            match page.next {
                Some(next) if next > after => after = next,
                _ => break,
            }
        }
        if self.json { show::json(&all) } else { Ok(()) }
    }
}

fn describe(entry: &AuditEntryView) -> String {
    let heading = format!("{} {} {}: {}", entry.revision, entry.at, entry.actor, entry.what);
    let differences = entry.differences.iter().map(|line| show::lines(&format!("  {line}")));
    std::iter::once(show::lines(&heading)).chain(differences).collect()
}
