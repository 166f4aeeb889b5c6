//! Text of one regression test file -> its tests. Reads both spellings of the public format: CRS 3.x (`test_title`,
//! `stages[].stage`, `log_contains`) and CRS 4.x (`rule_id`, `test_id`, `output.log.expect_ids`). Runs nothing.

use regex::Regex;

use super::expected::Expected;
use super::input::Input;
use super::yaml::{self, Node, YamlError};

/// One test.
#[derive(Clone, Debug)]
pub struct Test {
    /// `RULE-NUMBER`, or the title that its author gave.
    pub id: String,
    pub rule: u64,
    pub number: u64,
    pub description: String,
    pub enabled: bool,
    pub stages: Vec<Stage>,
}

/// One request of a test and what is to come of it.
#[derive(Clone, Debug)]
pub struct Stage {
    pub input: Input,
    pub expected: Expected,
}

/// How a stage is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `- stage: { input, output }`, as in CRS 3.x.
    Older,
    /// `- { input, output }`.
    Newer,
}

/// What a test wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// That a rule matches.
    Positive,
    /// That a rule does not match.
    Negative,
    /// Only a status, an answer or an error.
    Http,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Positive, Self::Negative, Self::Http];

    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Http => "http",
        }
    }
}

impl Test {
    /// A target that detects nothing passes every negative test, one that flags everything every positive one.
    pub fn kind(&self) -> Kind {
        let any = |wants: fn(&Expected) -> bool| self.stages.iter().any(|stage| wants(&stage.expected));
        match () {
            () if any(Expected::wants_match) => Kind::Positive,
            () if any(Expected::wants_no_match) => Kind::Negative,
            () => Kind::Http,
        }
    }
}

/// Why a file has no tests to run.
#[derive(Debug, thiserror::Error)]
pub enum TestFileError {
    #[error("reading the YAML")]
    Yaml(#[from] YamlError),
    #[error("test {test}, stage {stage}: {reason}")]
    Stage { test: String, stage: usize, reason: String },
}

/// Every test of a file; `file_name` gives the rule's number where the file names none.
///
/// # Errors
/// Not YAML, or a stage that cannot be understood.
pub fn read(text: &str, file_name: &str) -> Result<Vec<Test>, TestFileError> {
    let root = yaml::read(text)?;
    let field = |key: &str| root.get(key).and_then(Node::text).and_then(|text| text.parse::<u64>().ok());
    let rule = field("rule_id").or_else(|| first_number(file_name)).unwrap_or(0);
    let file_enabled = root.get("meta").and_then(|meta| flag(meta.get("enabled"))).unwrap_or(true);
    let nodes = root.get("tests").map(Node::items).unwrap_or_default();
    let tests = nodes.iter().zip(1..);
    tests.map(|(node, position)| test(node, rule, position, file_enabled)).collect()
}

fn test(node: &Node, rule: u64, position: u64, file_enabled: bool) -> Result<Test, TestFileError> {
    let text = |key: &str| node.get(key).and_then(Node::text).filter(|text| !text.is_empty());
    let mut rule = rule;
    let mut number = text("test_id").and_then(|text| text.parse().ok()).unwrap_or(position);
    let id = text("test_title").map_or_else(|| format!("{rule}-{number}"), str::to_owned);
    let parts = id.split_once('-').map(|(rule, number)| (rule.parse::<u64>(), number.parse::<u64>()));
    if let Some((Ok(titled_rule), Ok(titled_number))) = parts {
        (rule, number) = (titled_rule, titled_number);
    }
    let mut stages = Vec::new();
    for (index, stage) in node.get("stages").map(Node::items).unwrap_or_default().iter().enumerate() {
        let (stage, spelling) = match stage.get("stage") {
            Some(stage) => (stage, Spelling::Older),
            None => (stage, Spelling::Newer),
        };
        let failed = |reason| TestFileError::Stage { test: id.clone(), stage: index, reason };
        let input = Input::read(stage.get("input"), spelling).map_err(failed)?;
        let expected = Expected::read(stage.get("output")).map_err(failed)?;
        stages.push(Stage { input, expected });
    }
    let description = text("desc").or_else(|| text("description")).unwrap_or_default().trim().to_owned();
    let enabled = file_enabled && flag(node.get("enabled")).unwrap_or(true);
    Ok(Test { id, rule, number, description, enabled, stages })
}

fn first_number(name: &str) -> Option<u64> {
    let start = name.find(|c: char| c.is_ascii_digit())?;
    let digits: String = name.chars().skip(start).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// true, yes, on, 1 or their opposites; None for nothing.
pub(super) fn flag(node: Option<&Node>) -> Option<bool> {
    let text = node?.text()?.trim().to_ascii_lowercase();
    (!text.is_empty()).then_some(matches!(text.as_str(), "true" | "yes" | "on" | "1"))
}

/// Texts of a scalar or a list of scalars.
pub(super) fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().iter().filter_map(Node::text).map(str::to_owned).collect()
}

/// A pattern of a test file; its authors write Go's or Python's syntax.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("the pattern `{text}`: {error}"))
}
