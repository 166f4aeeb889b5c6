//! SecLang rules engine: rule text -> compiled [`RuleSet`] -> [`Transaction`] per request -> [`Verdict`]. It never
//! sees a socket, a clock or HTTP parsing: bytes and time are arguments, files come through [`RuleFiles`].
//!
//! In reading order: `text` (lexer, parser, mistakes), `compile` (names looked up), `rule` (the compiled form), `values`
//! (what a transaction knows), `operator`, `transformation`, `body`, and `reference`, the plain evaluator.

pub mod limits;
pub mod regression;
pub mod verdict;

mod collection;
mod exclusion;
mod lookups;
mod observe;
mod rule_set;
mod settings;
mod transaction;

mod compile;
mod options;
mod rule;
mod text;

mod control;
mod explain;
mod reference;
mod request;
mod state;
mod values;
mod variable;

#[cfg(any(test, fuzzing))]
pub mod exercise;

mod body;
mod injection;
mod operator;
mod pattern;
mod template;
mod transformation;

pub use collection::{Collections, MemoryCollections, Record, RecordKey, Scope};
pub use exclusion::{Exclude, Exclusion, RuleChoice};
pub use explain::{ActedOn, Explanation, LinkWords};
pub use lookups::{GeoPlace, Lookups};
pub use observe::Observe;
pub use rule::EngineMode;
pub use rule_set::{RuleErrors, RuleFile, RuleFiles, RuleMistake, RuleSet};
pub use settings::{Levels, Settings};
pub use transaction::{Connection, Progress, Transaction};
pub use verdict::{Disruption, RuleMatch, Verdict};
