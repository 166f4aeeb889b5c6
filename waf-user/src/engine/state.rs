//! The seam between a transaction and its evaluator: what every evaluator reads, changes and answers.

use super::control::Control;
use super::values::Values;
use super::verdict::RuleMatch;

/// What an evaluator works on: everything of a transaction that rules read and change.
#[derive(Debug)]
pub struct State {
    pub values: Values,
    pub control: Control,
    pub matches: Vec<RuleMatch>,
}

/// The outcome of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// All links matched.
    pub matched: bool,
    /// Values looked at and their bytes, at least 1: what a budget is spent on.
    pub cost: u32,
}
