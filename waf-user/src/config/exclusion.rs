//! One [[tenant.exclusion]] -> which rules are to leave which requests, or which values of them, alone.

use super::mistake::Mistakes;
use super::reader::{NumberOrText, Table};
use crate::engine::RuleChoice;

/// Rule ids of CRS and of vendors stay far below.
const RULE_ID_MAX: u64 = 1 << 53;

/// Rules that are not to see part of the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    pub rules: RuleChoice,
    /// None: whatever the path.
    pub path: Option<PathMatch>,
    pub parameter: Option<String>,
    pub cookie: Option<String>,
    pub header: Option<String>,
}

/// Which paths are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    Exact(String),
    /// Written with a trailing `*`, which is not part of this.
    Prefix(String),
}

impl PathMatch {
    /// # Errors
    /// The text, for a person, why this is no path.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with('/') {
            return Err("a path starts with /");
        }
        if text.contains(['?', '#']) {
            return Err("a path ends before ? and #");
        }
        let is_odd = |c: char| matches!(c, '%' | '\\') || c.is_control();
        if text.contains(is_odd)
            || text.contains("//")
            || text.split('/').any(|part| matches!(part, "." | ".."))
        {
            return Err(
                "no request has such a path: percent-encoding is undone, and no segment empty or of dots",
            );
        }
        match text.strip_suffix('*') {
            Some(prefix) if prefix.contains('*') => Err("* stands at the end of a path only"),
            None if text.contains('*') => Err("* stands at the end of a path only"),
            Some(prefix) => Ok(Self::Prefix(prefix.to_owned())),
            None => Ok(Self::Exact(text.to_owned())),
        }
    }

    /// `path`: percent-encoding undone.
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => path == exact.as_bytes(),
            Self::Prefix(prefix) => path.starts_with(prefix.as_bytes()),
        }
    }
}

pub(super) fn read(table: Table<'_>) -> Option<Exclusion> {
    let rules = read_rules(&table);
    let path =
        table.parsed("path", PathMatch::new, "for example \"/search\", or \"/search/*\" for all below it");
    let text = |key| text_of(&table, key);
    let (parameter, cookie, header) = (text("parameter"), text("cookie"), text("header"));
    table.finish();
    Some(Exclusion { rules: rules?, path: path.map(toml::Spanned::into_inner), parameter, cookie, header })
}

/// `rule`, an id or a range, or `tag`.
fn read_rules(table: &Table<'_>) -> Option<RuleChoice> {
    let rule = table.number_or_text("rule", "an id or a range of ids");
    let tag = table.text("tag");
    match (rule, tag) {
        (None, None) => {
            if !table.has("rule") && !table.has("tag") {
                table.require("rule", "rule = 942100, or tag = \"attack-sqli\"");
            }
            None
        }
        (Some(_), Some(tag)) => {
            let message = "`rule` and `tag` in one exclusion";
            table.mistakes().add(tag.span(), message, "write an exclusion for each");
            None
        }
        (None, Some(tag)) if tag.get_ref().is_empty() => {
            table.mistakes().add(tag.span(), "`tag` is empty", "for example \"attack-sqli\"");
            None
        }
        (None, Some(tag)) => Some(RuleChoice::Tag((*tag.get_ref()).to_owned())),
        (Some(rule), None) => {
            let range = match rule.get_ref() {
                NumberOrText::Number(id) => Some((*id, *id)),
                NumberOrText::Text(text) => id_range(text),
            };
            let range = range.filter(|(first, last)| {
                (1..=RULE_ID_MAX).contains(first) && first <= last && *last <= RULE_ID_MAX
            });
            if range.is_none() {
                let cure = "write an id such as 942100, or a range such as \"942100-942199\"";
                table.mistakes().add(rule.span(), "`rule` is no id and no range of ids", cure);
            }
            range.map(|(first, last)| RuleChoice::Ids(first, last))
        }
    }
}

fn id_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

fn text_of(table: &Table<'_>, key: &'static str) -> Option<String> {
    let text = table.text(key)?;
    if text.get_ref().is_empty() {
        let mistakes: &Mistakes<'_> = table.mistakes();
        mistakes.add(text.span(), format!("`{key}` is empty"), "leave it out to mean every one");
    }
    Some((*text.get_ref()).to_owned())
}

#[cfg(test)]
mod tests;
