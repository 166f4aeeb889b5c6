//! The `output` of a test's stage, and whether what happened is that.

use regex::Regex;

use super::run::Happened;
use super::test_file::{flag, pattern, texts};
use super::yaml::Node;

/// Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Any of them; empty: not asked.
    pub status: Vec<u16>,
    /// true: the server gives no answer at all.
    pub expect_error: Option<bool>,
    /// Stands somewhere in the raw answer.
    pub response_contains: Option<Regex>,
    /// Each finds a log line.
    pub log_has: Vec<Regex>,
    pub log_lacks: Vec<Regex>,
    /// Rules that match.
    pub ids: Vec<u64>,
    pub no_ids: Vec<u64>,
    /// Exactly one rule matches.
    pub isolated: bool,
}

impl Expected {
    /// # Errors
    /// A pattern that is none, in words.
    pub fn read(node: Option<&Node>) -> Result<Self, String> {
        let Some(node) = node else { return Ok(Self::default()) };
        let log = node.get("log");
        let of_log = |key: &str| log.and_then(|log| log.get(key));
        let ids = |keys: [&str; 2]| -> Vec<u64> {
            let texts = keys.into_iter().flat_map(|key| texts(of_log(key)));
            texts.filter_map(|text| text.trim().parse().ok()).collect()
        };
        let patterns = |node: Option<&Node>| -> Result<Vec<Regex>, String> {
            one(node).map(pattern).into_iter().collect()
        };
        let mut expected = Self {
            status: texts(node.get("status")).iter().filter_map(|text| text.trim().parse().ok()).collect(),
            expect_error: flag(node.get("expect_error")),
            response_contains: one(node.get("response_contains")).map(pattern).transpose()?,
            log_has: patterns(of_log("match_regex"))?,
            log_lacks: patterns(of_log("no_match_regex"))?,
            ids: ids(["expect_ids", "expect_id"]),
            no_ids: ids(["no_expect_ids", "no_expect_id"]),
            isolated: flag(node.get("isolated")).unwrap_or(false),
        };
        // The older spelling, where the newer one says nothing.
        if expected.log_has.is_empty() && expected.ids.is_empty() {
            expected.log_has = patterns(node.get("log_contains"))?;
        }
        if expected.log_lacks.is_empty() && expected.no_ids.is_empty() {
            expected.log_lacks = patterns(node.get("no_log_contains"))?;
        }
        Ok(expected)
    }

    pub fn wants_match(&self) -> bool {
        !self.log_has.is_empty() || !self.ids.is_empty()
    }

    pub fn wants_no_match(&self) -> bool {
        !self.log_lacks.is_empty() || !self.no_ids.is_empty()
    }

    /// None: as expected; else the first thing that is not.
    pub fn judge(&self, happened: &Happened) -> Option<String> {
        match (self.expect_error, &happened.no_answer) {
            (Some(true), None) => {
                return Some(format!("an error was expected, got status {}", happened.status));
            }
            (Some(true), Some(_)) => {}
            (_, Some(reason)) => return Some(format!("no answer: {reason}")),
            (_, None) if !self.status.is_empty() && !self.status.contains(&happened.status) => {
                return Some(format!("status {}, expected {}", happened.status, list(&self.status)));
            }
            (_, None) => {}
        }
        if let Some(pattern) = &self.response_contains
            && !pattern.is_match(&String::from_utf8_lossy(&happened.answer))
        {
            return Some(format!("the answer lacks /{pattern}/"));
        }
        let in_log = |pattern: &Regex| happened.log.iter().any(|line| pattern.is_match(line));
        if let Some(pattern) = self.log_has.iter().find(|pattern| !in_log(pattern)) {
            return Some(format!("no log line has /{pattern}/; matched: {}", list(&happened.ids)));
        }
        if let Some(pattern) = self.log_lacks.iter().find(|pattern| in_log(pattern)) {
            return Some(format!("a log line has /{pattern}/"));
        }
        let missing: Vec<&u64> = self.ids.iter().filter(|id| !happened.ids.contains(id)).collect();
        if !missing.is_empty() {
            return Some(format!("did not match: {}; matched: {}", list(&missing), list(&happened.ids)));
        }
        let unwanted: Vec<&u64> = self.no_ids.iter().filter(|id| happened.ids.contains(id)).collect();
        if !unwanted.is_empty() {
            return Some(format!("matched: {}", list(&unwanted)));
        }
        (self.isolated && happened.ids.len() != 1)
            .then(|| format!("one rule was to match, matched: {}", list(&happened.ids)))
    }
}

/// A scalar's text, if there is any.
fn one(node: Option<&Node>) -> Option<&str> {
    node.and_then(Node::text).filter(|text| !text.is_empty())
}

fn list(items: &[impl ToString]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(" ") }
}
