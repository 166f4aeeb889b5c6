//! The text of a block list -> prefixes to ban, in three dialects: a plain list, `ipset save`, CrowdSec's decisions as JSON or
//! CSV. All mistakes at once, each with its line; what a dialect has and we cannot ban is counted, never dropped silently.
//! Who is given the bans is not known here.

mod csv;
mod decisions_csv;
mod decisions_json;
mod duration;
mod ipset;
mod plain;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;

use crate::config::prefix::{PrefixError, parse_prefix};
use crate::model::ban::{WIDEST_V4, WIDEST_V6, is_too_wide};

use duration::DurationError;

/// Bans of one file: ten times what a fleet holds, so that the fleet's own bound is what an operator meets.
pub const BANS_MAX: usize = 1_000_000;
/// Bytes of one file: a million decisions in CrowdSec's JSON, each with its alert cut short.
pub const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Mistakes that are kept; the others are counted. More help nobody: the format is the wrong one.
const MISTAKES_MAX: usize = 100;
/// Characters of a reason; a longer one is cut.
const REASON_LEN_MAX: usize = 128;

/// The dialect of a block list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One address or prefix a line; `#` or `;` begins a comment.
    Plain,
    /// What `ipset save` prints.
    Ipset,
    /// `cscli decisions list -o json`, the local API's answer, or what `cscli decisions import` reads.
    CrowdSecJson,
    /// `cscli decisions list -o raw`, or what `cscli decisions import` reads.
    CrowdSecCsv,
}

impl Format {
    /// The dialect that a text most likely is in, by its first line that says something.
    pub fn guess(text: &str) -> Self {
        let first = lines(text).map(|(_, line)| line).find(|line| !line.is_empty() && !is_comment(line));
        let Some(first) = first else { return Self::Plain };
        match first.split_ascii_whitespace().next() {
            _ if first.starts_with(['[', '{']) || first == "null" => Self::CrowdSecJson,
            Some("create" | "add") => Self::Ipset,
            _ if decisions_csv::is_header(first) => Self::CrowdSecCsv,
            _ => Self::Plain,
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Ipset => "ipset",
            Self::CrowdSecJson => "crowdsec-json",
            Self::CrowdSecCsv => "crowdsec-csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Why a text names no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format: write plain, ipset, crowdsec-json or crowdsec-csv")]
pub struct FormatError(String);

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Plain, Self::Ipset, Self::CrowdSecJson, Self::CrowdSecCsv]
            .into_iter()
            .find(|format| format.label() == text)
            .ok_or_else(|| FormatError(text.to_owned()))
    }
}

/// One prefix of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedBan {
    pub prefix: IpNet,
    /// Seconds from now; None = the list says nothing, or never.
    pub ttl_s: Option<u32>,
    pub reason: Option<String>,
}

/// What a list holds that is no ban, though no mistake either.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Its time is over.
    Expired,
    /// CrowdSec only pretends to decide so.
    Simulated,
    /// Another measure than a ban, such as `captcha`.
    Measure(String),
    /// Neither an address nor a range, such as `Country`.
    Scope(String),
    /// The same prefix once more; the longer ban stays.
    Repeated,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("expired"),
            Self::Simulated => f.write_str("simulated"),
            Self::Measure(measure) => write!(f, "of type {measure:?}, not ban"),
            Self::Scope(scope) => write!(f, "of scope {scope:?}, neither address nor range"),
            Self::Repeated => f.write_str("there more than once"),
        }
    }
}

/// What is wrong on one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{text:?} {source}")]
    Prefix { text: String, source: PrefixError },
    #[error("duration {text:?}: {source}")]
    Duration { text: String, source: DurationError },
    #[error("{0:?} is no command of ipset save: create or add")]
    Command(String),
    #[error("set {set} is of type {kind:?}: only hash:ip, hash:net and bitmap:ip hold what can be banned")]
    SetType { set: String, kind: String },
    #[error("set {0} excepts this prefix (nomatch): a ban has no exceptions, take it out of the list")]
    Exception(String),
    #[error("{option} of a set needs a number, not {value:?}")]
    Option { option: &'static str, value: String },
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("this first line names no column value or ip")]
    Header,
    #[error("a quoted field does not end on its line")]
    Quote,
    #[error("no JSON of decisions: {0}")]
    Json(String),
    #[error(
        "{0} is wider than /{WIDEST_V4} (IPv6: /{WIDEST_V6}), which no node enforces: name narrower prefixes"
    )]
    Wide(IpNet),
    #[error("more than {BANS_MAX} bans: split the list")]
    Bans,
}

/// A fault with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    pub fault: Fault,
}

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// In the order of their prefixes, each once.
    pub bans: Vec<ImportedBan>,
    pub left_out: BTreeMap<LeftOut, usize>,
    /// The first hundred, in the order of their lines.
    pub mistakes: Vec<Mistake>,
    /// All of them.
    pub mistake_count: usize,
}

/// Reads a whole list.
pub fn read(text: &str, format: Format) -> Import {
    let mut gather = Gather::default();
    match format {
        Format::Plain => plain::read(text, &mut gather),
        Format::Ipset => ipset::read(text, &mut gather),
        Format::CrowdSecJson => decisions_json::read(text, &mut gather),
        Format::CrowdSecCsv => decisions_csv::read(text, &mut gather),
    }
    gather.into_import()
}

/// What the dialects tell, put together.
#[derive(Default)]
struct Gather {
    bans: BTreeMap<IpNet, (Option<u32>, Option<String>)>,
    import: Import,
}

impl Gather {
    fn ban(&mut self, line: usize, prefix: IpNet, ttl_s: Option<u32>, reason: Option<&str>) {
        if self.bans.len() >= BANS_MAX && !self.bans.contains_key(&prefix) {
            self.fault(line, Fault::Bans);
            return;
        }
        if is_too_wide(prefix) {
            self.fault(line, Fault::Wide(prefix));
            return;
        }
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let reason = reason.map(|reason| reason.chars().take(REASON_LEN_MAX).collect());
        match self.bans.entry(prefix) {
            Entry::Vacant(place) => {
                place.insert((ttl_s, reason));
            }
            Entry::Occupied(mut place) => {
                if is_longer(ttl_s, place.get().0) {
                    place.insert((ttl_s, reason));
                }
                self.leave_out(LeftOut::Repeated);
            }
        }
    }

    fn leave_out(&mut self, why: LeftOut) {
        *self.import.left_out.entry(why).or_default() += 1;
    }

    fn fault(&mut self, line: usize, fault: Fault) {
        self.import.mistake_count += 1;
        if self.import.mistakes.len() < MISTAKES_MAX {
            self.import.mistakes.push(Mistake { line, fault });
        }
    }

    fn into_import(self) -> Import {
        let bans =
            self.bans.into_iter().map(|(prefix, (ttl_s, reason))| ImportedBan { prefix, ttl_s, reason });
        Import { bans: bans.collect(), ..self.import }
    }
}

/// None is for ever.
fn is_longer(one: Option<u32>, other: Option<u32>) -> bool {
    match (one, other) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(one), Some(other)) => one > other,
    }
}

/// Lines with their numbers from 1, without white space around them and without a byte order mark.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()))
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';'])
}

fn prefix(text: &str) -> Result<IpNet, Fault> {
    parse_prefix(text).map_err(|source| Fault::Prefix { text: text.to_owned(), source })
}

#[cfg(test)]
mod tests;
