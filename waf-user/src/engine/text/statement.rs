//! What the parser makes of one logical line: the parts of a directive as words, names not yet looked up.

use super::Word;

/// One directive.
#[derive(Debug)]
pub enum Statement {
    Rule(RuleText),
    /// SecAction: a rule without targets and operator.
    Action {
        directive: Word,
        actions: Vec<ActionText>,
    },
    DefaultAction {
        directive: Word,
        actions: Vec<ActionText>,
    },
    /// Every other directive with its arguments.
    Plain {
        directive: Word,
        arguments: Vec<Word>,
    },
}

/// SecRule.
#[derive(Debug)]
pub struct RuleText {
    pub directive: Word,
    pub targets: Vec<TargetText>,
    pub operator: OperatorText,
    pub actions: Vec<ActionText>,
}

/// How a target is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetSign {
    Value,
    /// `&`: the number of values.
    Count,
    /// `!`: left out.
    Exclude,
}

/// One part of the variables list.
#[derive(Debug)]
pub struct TargetText {
    pub sign: TargetSign,
    pub name: Word,
    pub selector: Option<Word>,
}

/// `!@name argument`; a bare argument is @rx.
#[derive(Debug)]
pub struct OperatorText {
    pub negated: bool,
    pub name: Word,
    pub argument: Word,
}

/// `name:value`, quotes of the value removed.
#[derive(Debug)]
pub struct ActionText {
    pub name: Word,
    pub value: Option<Word>,
}
