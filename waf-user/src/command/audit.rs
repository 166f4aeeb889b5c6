//! `waf audit`: who changed what, and when.

use clap::Args;
use waf_user::control::api::words::{AuditChangeView, AuditEntries, AuditEntryView};

use super::Outcome;
use super::at_control::{AtControl, segment};
use super::show;

/// Entries asked for at once: as many as the API gives.
const PAGE_LEN: usize = 1_000;

/// Show who changed what and when, the newest first; without secrets (operators).
#[derive(Args)]
#[command(after_help = "Examples:\n  waf audit --limit 20\n  waf audit --json | jq '.[].actor'\n\n\
    Exit codes: 0 done, 1 failed or refused, 2 wrong usage.")]
pub struct Audit {
    /// At most this many changes; all where nothing is said
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
        let mut shown = 0;
        let mut before = String::new();
        loop {
            let left = self.limit.map_or(PAGE_LEN, |limit| limit.saturating_sub(shown).min(PAGE_LEN));
            if left == 0 {
                break;
            }
            let page: AuditEntries = client.get(&format!("/v1/audit?limit={left}{before}"))?;
            shown += page.entries.len();
            // Each page is printed as soon as it is here; JSON is one list and has to wait.
            if self.json {
                all.extend(page.entries);
            } else {
                show::print(&page.entries.iter().map(describe).collect::<String>())?;
            }
            match page.next {
                Some(next) => before = format!("&before={}", segment(&next)),
                None => break,
            }
        }
        if self.json { show::json(&all) } else { Ok(()) }
    }
}

fn describe(entry: &AuditEntryView) -> String {
    let revision = entry.revision.map_or_else(|| "-".to_owned(), |revision| revision.to_string());
    let heading = format!("{} {revision} {}", entry.at, entry.actor);
    std::iter::once(show::lines(&heading)).chain(entry.changes.iter().map(describe_change)).collect()
}

fn describe_change(change: &AuditChangeView) -> String {
    let reasons = change.reasons.iter().map(|reason| format!("    because {reason}"));
    let differences = change.differences.iter().map(|difference| format!("    {difference}"));
    let heading = format!("  {}: {}", change.subject, change.action);
    std::iter::once(heading).chain(reasons).chain(differences).map(|line| show::lines(&line)).collect()
}
