//! Rule files -> an immutable compiled rule set.

use std::fmt;
use std::io;

use super::compile::{self, Compiled, Removed};
use super::options::Options;
use super::rule::{Phase, Step};
use super::text;
use super::variable::Variable;

/// Where rule text and the data files it names come from.
pub trait RuleFiles {
    /// The text of a file, `path` as written, relative to the including file `from`. Returns its resolved name too.
    ///
    /// # Errors
    /// The file cannot be read.
    fn read(&self, path: &str, from: &str) -> io::Result<RuleFile>;

    /// The paths that a pattern of Include names, sorted.
    ///
    /// # Errors
    /// The folder cannot be listed.
    fn glob(&self, pattern: &str, from: &str) -> io::Result<Vec<String>>;
}

/// One file of rules or data.
#[derive(Clone, Debug)]
pub struct RuleFile {
    pub name: String,
    pub text: Vec<u8>,
}

/// All mistakes found in rule files at once; `Display` shows each with file:line:column and a caret.
#[derive(Debug)]
pub struct RuleErrors {
    pub text: String,
    /// The same one by one.
    pub mistakes: Vec<RuleMistake>,
}

/// One mistake of a rule author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMistake {
    pub file: String,
    /// From 1; so is the column, in characters.
    pub line: usize,
    pub column: usize,
    pub message: String,
    /// What to do about it; may be empty.
    pub cure: String,
    /// The line itself.
    pub text: String,
}

impl fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for RuleErrors {}

impl RuleMistake {
    fn of(mistake: &text::Mistake) -> Self {
        let (line, column) = mistake.place.line_column();
        Self {
            file: mistake.place.source.name.clone(),
            line,
            column,
            message: mistake.message.clone(),
            cure: mistake.cure.clone(),
            text: mistake.place.line_text(),
        }
    }
}

/// Compiled rules, shared by any number of transactions.
#[derive(Debug, Default)]
pub struct RuleSet {
    compiled: Compiled,
}

impl RuleSet {
    /// Compiles the files in order, as if they were one.
    ///
    /// # Errors
    /// Every mistake of every file.
    pub fn compile(files: &[RuleFile], access: &dyn RuleFiles) -> Result<Self, RuleErrors> {
        let compiled = compile::compile(files, access);
        compiled.map(|compiled| Self { compiled }).map_err(|mistakes| RuleErrors {
            text: text::render(&mistakes),
            mistakes: mistakes.iter().map(RuleMistake::of).collect(),
        })
    }

    /// As [`RuleSet::compile`], with the engine's own refusal of bodies that cannot be read where no rule of the files
    /// looks at REQBODY_ERROR (the recommended base configuration does, in its rules 200002 to 200006).
    ///
    /// # Errors
    /// Every mistake of every file.
    pub fn compile_with_defaults(files: &[RuleFile], access: &dyn RuleFiles) -> Result<Self, RuleErrors> {
        let own = Self::compile(files, access)?;
        if own.compiled.looks_at(Variable::ReqbodyError) {
            return Ok(own);
        }
        let text = include_bytes!("defaults.conf").to_vec();
        let defaults = RuleFile { name: "defaults.conf".to_owned(), text };
        let files: Vec<RuleFile> = std::iter::once(defaults).chain(files.iter().cloned()).collect();
        Self::compile(&files, access)
    }

    /// How many rules (SecRule and SecAction, chains counted once).
    pub fn len(&self) -> usize {
        self.compiled.rules
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The settings that the rule files made.
    pub(super) fn options(&self) -> &Options {
        &self.compiled.options
    }

    /// Rules that directives took away.
    pub(super) fn removed(&self) -> &[Removed] {
        &self.compiled.removed
    }

    /// The steps of one phase in order.
    pub(super) fn steps(&self, phase: Phase) -> &[Step] {
        let index = usize::from(phase.number() - 1);
        self.compiled.phases.get(index).map_or(&[], Vec::as_slice)
    }
}
