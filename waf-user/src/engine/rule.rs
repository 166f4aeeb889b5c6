//! The compiled form of rules: what an evaluator runs. Plain data, immutable, shared by all transactions; knows no
//! text and no transaction.

use super::collection::Scope;
use super::operator::Operator;
use super::pattern::Pattern;
use super::template::Template;
use super::transformation::Transformation;
use super::variable::Variable;

/// The five phases in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    RequestHeaders = 1,
    RequestBody = 2,
    ResponseHeaders = 3,
    ResponseBody = 4,
    Logging = 5,
}

impl Phase {
    pub const ALL: [Self; 5] =
        [Self::RequestHeaders, Self::RequestBody, Self::ResponseHeaders, Self::ResponseBody, Self::Logging];

    /// 1 to 5.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// From a number or one of the reference manual's names.
    pub fn named(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "1" => Some(Self::RequestHeaders),
            "2" | "request" => Some(Self::RequestBody),
            "3" => Some(Self::ResponseHeaders),
            "4" | "response" => Some(Self::ResponseBody),
            "5" | "logging" => Some(Self::Logging),
            _ => None,
        }
    }
}

/// Which values of a collection are meant.
#[derive(Clone, Debug)]
pub enum Selector {
    All,
    /// Lower case; compared without case.
    Name(Vec<u8>),
    /// Matches the name, without case; with its text.
    Pattern(Pattern, Vec<u8>),
}

impl Selector {
    /// What tells one selector from another: none, its name, or its pattern's text.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::All => None,
            Self::Name(name) => Some(name),
            Self::Pattern(_, text) => Some(text),
        }
    }

    /// Hot: per value.
    pub fn selects(&self, key: Option<&[u8]>) -> bool {
        match (self, key) {
            (Self::All, _) => true,
            (Self::Name(name), Some(key)) => key.eq_ignore_ascii_case(name),
            (Self::Pattern(pattern, _), Some(key)) => pattern.is_match(key),
            (_, None) => false,
        }
    }
}

/// Values of one variable.
#[derive(Clone, Debug)]
pub struct Selection {
    pub variable: Variable,
    pub selector: Selector,
}

impl Selection {
    /// Hot: per value.
    pub fn selects(&self, variable: Variable, key: Option<&[u8]>) -> bool {
        self.covers(variable) && self.selector.selects(key)
    }

    /// An exclusion from ARGS holds for its two halves too.
    fn covers(&self, variable: Variable) -> bool {
        self.variable == variable
            || match self.variable {
                Variable::Args => matches!(variable, Variable::ArgsGet | Variable::ArgsPost),
                Variable::ArgsNames => matches!(variable, Variable::ArgsGetNames | Variable::ArgsPostNames),
                _ => false,
            }
    }
}

/// What a target gives to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    Values,
    /// `&`: how many there are.
    Count,
}

/// One wanted part of a rule's variables.
#[derive(Clone, Debug)]
pub struct Target {
    pub selection: Selection,
    pub take: Take,
}

/// Whether the operator's answer is turned round by `!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    Plain,
    Negated,
}

/// What a SecRule asks of the transaction.
#[derive(Clone, Debug)]
pub struct Condition {
    pub targets: Vec<Target>,
    pub excluded: Vec<Selection>,
    pub transformations: Vec<Transformation>,
    pub operator: Operator,
    pub sense: Sense,
    /// The operator's argument as written, for people.
    pub argument: Box<[u8]>,
    /// multiMatch: the operator also sees the value before and between the transformations.
    pub multi_match: bool,
}

/// Where a variable that rules may set lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Tx,
    /// A persistent record that initcol or its kin opened; without one nothing is set.
    Record(Scope),
}

/// `setvar`.
#[derive(Clone, Debug)]
pub struct SetVar {
    pub holder: Holder,
    pub name: Template,
    pub change: Change,
}

/// What a match does besides refusing, in the order written.
#[derive(Clone, Debug)]
pub enum Action {
    SetVar(SetVar),
    /// `expirevar`: seconds from now.
    Expire {
        holder: Holder,
        name: Template,
        seconds: Template,
    },
    /// `deprecatevar`: `amount` less for each `seconds` since the record was written, down to 0.
    Deprecate {
        holder: Holder,
        name: Template,
        amount: Template,
        seconds: Template,
    },
    /// `initcol`, `setsid`, `setuid`, `setrsc`.
    Open {
        scope: Scope,
        key: Template,
    },
    /// `setenv`.
    SetEnv {
        name: Template,
        value: Template,
    },
    Ctl(Ctl),
}

/// What becomes of the variable.
#[derive(Clone, Debug)]
pub enum Change {
    Assign(Template),
    Add(Template),
    Subtract(Template),
    Delete,
}

/// The engine as a whole: SecRuleEngine, ctl:ruleEngine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineMode {
    #[default]
    On,
    /// Matches are logged, nothing is refused.
    DetectionOnly,
    Off,
}

/// Rules meant by a removal.
#[derive(Clone, Debug)]
pub enum RuleFilter {
    /// First and last id.
    Ids(u64, u64),
    Tag(Pattern),
    /// The whole tag, letter for letter.
    TagIs(Vec<u8>),
    Msg(Pattern),
}

impl RuleFilter {
    /// O(tags of the rule).
    pub fn names(&self, rule: &Rule) -> bool {
        match self {
            Self::Ids(first, last) => (*first..=*last).contains(&rule.id),
            Self::Tag(pattern) => {
                rule.tags.iter().any(|tag| pattern.is_match(tag.as_literal().unwrap_or(b"")))
            }
            Self::TagIs(name) => rule.tags.iter().any(|tag| tag.as_literal() == Some(name)),
            Self::Msg(pattern) => {
                rule.msg.as_ref().is_some_and(|msg| pattern.is_match(msg.as_literal().unwrap_or(b"")))
            }
        }
    }
}

/// How a request body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyProcessor {
    UrlEncoded,
    Multipart,
    Json,
    Xml,
}

impl BodyProcessor {
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "URLENCODED" => Some(Self::UrlEncoded),
            "MULTIPART" => Some(Self::Multipart),
            "JSON" => Some(Self::Json),
            "XML" => Some(Self::Xml),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::UrlEncoded => "URLENCODED",
            Self::Multipart => "MULTIPART",
            Self::Json => "JSON",
            Self::Xml => "XML",
        }
    }
}

/// `ctl`: a change for the rest of this transaction.
#[derive(Clone, Debug)]
pub enum Ctl {
    Engine(EngineMode),
    RemoveRules(RuleFilter),
    RemoveTarget(RuleFilter, Selection),
    BodyProcessor(BodyProcessor),
    RequestBodyAccess(bool),
    /// Bytes.
    RequestBodyLimit(usize),
    ResponseBodyLimit(usize),
    ResponseBodyAccess(bool),
    ForceRequestBodyVariable(bool),
}

/// One SecRule or SecAction of a chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// None: SecAction, always true.
    pub condition: Option<Condition>,
    pub capture: bool,
    pub actions: Vec<Action>,
}

/// How far `allow` reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    /// All phases but logging.
    Transaction,
    /// The rest of this phase.
    Phase,
    /// Phases 1 and 2.
    Request,
}

/// What a matching rule does to the transaction.
#[derive(Clone, Debug)]
pub enum Disruptive {
    Pass,
    Deny,
    Drop,
    Redirect(Template),
    Allow(Allow),
}

/// Where the evaluation goes on after a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Next,
    /// Over this many rules.
    Skip(usize),
    /// To this step of the phase; its length: the phase ends.
    To(usize),
}

/// A rule with its chain; id and everything that is shown or refused is the first link's.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: u64,
    pub phase: Phase,
    pub msg: Option<Template>,
    pub logdata: Option<Template>,
    pub severity: Option<u8>,
    pub tags: Vec<Template>,
    pub rev: String,
    pub ver: String,
    pub log: bool,
    pub disruptive: Disruptive,
    /// Of deny and redirect.
    pub status: u16,
    pub flow: Flow,
    /// Never empty.
    pub links: Vec<Link>,
    /// `file:line` of its first line.
    pub place: String,
    /// What directives further down changed, one sentence each.
    pub changes: Vec<String>,
}

/// One step of a phase.
#[derive(Clone, Debug)]
pub enum Step {
    Rule(Box<Rule>),
    /// SecMarker; skipAfter was resolved to its index.
    Marker,
}
