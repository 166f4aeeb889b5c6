//! `waf ban import`: a list of others -> bans of the fleet or of one site, in parts, with progress shown.

use std::error::Error;
use std::fs::File;
use std::io::{IsTerminal, Read, stderr, stdin};
use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use waf_user::control::api::words::{BansChanged, BansLift, BansNew, NewBan, NewLift};
use waf_user::control::bans_import::{self, FILE_BYTES_MAX, Format, Import as List, ImportedBan};
use waf_user::control::client::{Client, ClientError};

use crate::command::Outcome;
use crate::command::at_control::AtControl;
use crate::command::show;

/// Bans of one request: well within what the API takes at once, and small enough for a bar that moves.
const PART_LEN: usize = 2_000;
/// Mistakes that are printed; the others are counted.
const MISTAKES_SHOWN_MAX: usize = 20;

#[derive(Args)]
pub(super) struct Import {
    /// The list; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// plain, ipset, crowdsec-json or crowdsec-csv; told by the list itself where nothing is said
    #[arg(long)]
    format: Option<Format>,
    /// The site they hold for; none: the whole fleet
    #[arg(long, value_name = "FQDN")]
    site: Option<String>,
    /// Seconds until those end of which the list says nothing; 0 = until removed
    #[arg(long, value_name = "N", default_value_t = 0)]
    ttl_s: u32,
    /// Lift what the list names, whoever banned it, instead of banning it
    #[arg(long, conflicts_with = "ttl_s")]
    lift: bool,
    /// Leave lines with mistakes out, and ban (or lift) the others
    #[arg(long)]
    skip_mistakes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

impl Import {
    pub(super) fn run(self) -> Outcome {
        let text = read(&self.file)?;
        let format = self.format.unwrap_or_else(|| Format::guess(&text));
        let list = bans_import::read(&text, format);
        eprint!("{}", describe(&self.file, format, &list));
        if list.mistake_count > 0 && !self.skip_mistakes {
            return Err("nothing was sent: mend the list, name its --format, or --skip-mistakes".into());
        }
        let changed = self.send(&list)?;
        if self.json {
            let left_out: u64 = list.left_out.values().map(|count| *count as u64).sum();
            return show::json(&json!({
                "format": format.label(), "read": list.bans.len(), "changed": changed,
                "left_out": left_out, "mistakes": list.mistake_count,
            }));
        }
        let whom = self.site.as_deref().unwrap_or("the fleet");
        let banned = show::count(list.bans.len(), "prefix").replace("prefixs", "prefixes");
        let done = match self.lift {
            true => format!("lifted: {changed} of {banned} for {whom}, the others were not banned"),
            false => format!("banned: {banned} for {whom}, {changed} of them new or longer"),
        };
        show::print(&show::lines(&done))
    }

    /// How many were changed. Parts that were sent stay when a later one fails; to import again does no harm.
    fn send(&self, list: &List) -> Result<u64, Box<dyn Error>> {
        let mut client = self.at.client()?;
        let bar = if stderr().is_terminal() {
            ProgressBar::new(list.bans.len() as u64)
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} bans, {eta} left")?);
        let mut changed = 0;
        for part in list.bans.chunks(PART_LEN) {
            let answer = self.send_part(&mut client, part).inspect_err(|_| {
                bar.abandon();
                if bar.position() > 0 {
                    let (done, of) = (bar.position(), list.bans.len());
                    eprintln!("{done} of {of} are done; the same once more does the rest");
                }
            })?;
            changed += answer.changed;
            bar.inc(part.len() as u64);
        }
        bar.finish_and_clear();
        Ok(changed)
    }

    fn send_part(&self, client: &mut Client, part: &[ImportedBan]) -> Result<BansChanged, ClientError> {
        let site = self.site.clone();
        if self.lift {
            let bans = part.iter().map(|ban| NewLift { prefix: ban.prefix.to_string() }).collect();
            return client.send(Method::POST, "/v1/bans/lift", &BansLift { site, bans });
        }
        let bans = part.iter().map(|ban| NewBan {
            prefix: ban.prefix.to_string(),
            seconds: ban.ttl_s.or((self.ttl_s != 0).then_some(self.ttl_s)).map(u64::from),
            reason: ban.reason.clone().unwrap_or_default(),
        });
        client.send(Method::POST, "/v1/bans", &BansNew { site, import: true, bans: bans.collect() })
    }
}

/// The whole text; bytes that are no UTF-8 can only stand in remarks, or make a mistake of their line.
fn read(path: &Path) -> Result<String, Box<dyn Error>> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    let len = read.map_err(|error| format!("read {name}: {error}"))?;
    if len as u64 > FILE_BYTES_MAX {
        return Err(format!("{name} is longer than {FILE_BYTES_MAX} bytes: split it").into());
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// What the list holds besides bans, for a person.
fn describe(path: &Path, format: Format, list: &List) -> String {
    let name = path.display();
    let mut out = show::lines(&format!("{name}: {} bans, read as {format}", list.bans.len()));
    for (why, count) in &list.left_out {
        out.push_str(&show::lines(&format!("{name}: {count} left out: {why}")));
    }
    for mistake in list.mistakes.iter().take(MISTAKES_SHOWN_MAX) {
        out.push_str(&show::lines(&format!("{name}: {mistake}")));
    }
    let more = list.mistake_count.saturating_sub(MISTAKES_SHOWN_MAX.min(list.mistakes.len()));
    if more > 0 {
        out.push_str(&format!("{name}: and {}\n", show::count(more, "more mistake")));
    }
    out
}
