//! A tenant's exclusion -> rules and values that they are not to look at, prepared once and shared by transactions.

use super::rule::{Rule, RuleFilter, Selection, Selector};
use super::variable::Variable;

/// Which rules are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleChoice {
    /// First and last id.
    Ids(u64, u64),
    /// Rules that bear this tag, letter for letter.
    Tag(String),
}

/// What a rule is to leave alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclude<'a> {
    /// The whole rule.
    Rule,
    /// An argument of query or body, or a file of a form: name and value.
    Parameter(&'a str),
    Cookie(&'a str),
    Header(&'a str),
}

/// Rules, and what they are not to look at.
#[derive(Clone, Debug)]
pub struct Exclusion {
    rules: RuleFilter,
    /// Empty: the whole rule.
    selections: Vec<Selection>,
}

impl Exclusion {
    /// Names of values are compared without case. Nothing, or [`Exclude::Rule`] among others, is the whole rule.
    pub fn new(rules: &RuleChoice, what: &[Exclude<'_>]) -> Self {
        let rules = match rules {
            RuleChoice::Ids(first, last) => RuleFilter::Ids(*first, *last),
            RuleChoice::Tag(tag) => RuleFilter::TagIs(tag.clone().into_bytes()),
        };
        let selections = match what.contains(&Exclude::Rule) {
            true => Vec::new(),
            false => what.iter().flat_map(selections).collect(),
        };
        Self { rules, selections }
    }

    /// Hot: per rule. Whether the whole rule is meant.
    pub(super) fn removes(&self, rule: &Rule) -> bool {
        self.selections.is_empty() && self.rules.names(rule)
    }

    /// Hot: per rule. What the rule is not to look at.
    pub(super) fn excluded(&self, rule: &Rule) -> &[Selection] {
        if self.rules.names(rule) { &self.selections } else { &[] }
    }
}

fn selections(what: &Exclude<'_>) -> Vec<Selection> {
    let (variables, name): (&[Variable], &str) = match what {
        Exclude::Rule => return Vec::new(),
        Exclude::Parameter(name) => {
            (&[Variable::Args, Variable::ArgsNames, Variable::Files, Variable::FilesNames], name)
        }
        Exclude::Cookie(name) => (&[Variable::RequestCookies, Variable::RequestCookiesNames], name),
        Exclude::Header(name) => (&[Variable::RequestHeaders, Variable::RequestHeadersNames], name),
    };
    let name = name.as_bytes().to_ascii_lowercase();
    let select =
        |variable: &Variable| Selection { variable: *variable, selector: Selector::Name(name.clone()) };
    variables.iter().map(select).collect()
}
