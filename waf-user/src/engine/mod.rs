//! SecLang rules engine: rule text -> compiled [`RuleSet`] -> [`Transaction`] per request -> [`Verdict`]. It never
//! sees a socket, a clock or HTTP parsing: bytes and time are arguments, files come through [`RuleFiles`].

pub mod verdict;

mod rule_set;
mod transaction;

pub use rule_set::{RuleErrors, RuleFile, RuleFiles, RuleSet, Settings};
pub use transaction::{Connection, Progress, Transaction};
pub use verdict::{Disruption, RuleMatch, Verdict};
