//! Statements -> a rule set: looks names up, resolves chains, default actions, markers, removals and includes, and
//! gathers every mistake instead of stopping at the first.

mod accepted;
mod action_values;
mod actions;
mod condition;
mod container;
mod ctl;
mod defaults;
mod directives;
mod links;
mod selection;
mod set_values;
mod update;

use std::collections::HashMap;
use std::sync::Arc;

use super::limits;
use super::options::Options;
use super::rule::{Condition, Flow, Phase, Rule, RuleFilter, Step};
use super::rule_set::{RuleFile, RuleFiles};
use super::text::{Mistake, Place, Source, Statement, Word, diagnostic, lexer, parser};
use super::variable::Variable;
use actions::ActionSet;
use container::Containers;
use defaults::Defaults;

/// What compilation yields: the steps of each phase, and the settings.
#[derive(Debug, Default)]
pub struct Compiled {
    pub options: Options,
    /// Index: phase number - 1.
    pub phases: [Vec<Step>; 5],
    pub rules: usize,
    pub removed: Vec<Removed>,
}

/// A rule that a directive further down took away.
#[derive(Debug)]
pub struct Removed {
    pub rule: Box<Rule>,
    /// `file:line` of the directive.
    pub by: String,
}

impl Compiled {
    /// Whether a rule names a variable among its targets.
    pub fn looks_at(&self, variable: Variable) -> bool {
        let links = self.phases.iter().flatten().flat_map(|step| match step {
            Step::Rule(rule) => rule.links.as_slice(),
            Step::Marker => &[],
        });
        let mut targets =
            links.filter_map(|link| link.condition.as_ref()).flat_map(|condition| &condition.targets);
        targets.any(|target| target.selection.variable == variable)
    }
}

/// Compiles files in order, as if they were one.
///
/// # Errors
/// Every mistake of every file.
pub fn compile(files: &[RuleFile], access: &dyn RuleFiles) -> Result<Compiled, Vec<Mistake>> {
    let mut compiler = Compiler::new(access);
    for file in files {
        compiler.file(file.clone(), 0);
        compiler.end_chain();
    }
    compiler.finish()
}

/// A rule or marker before skipAfter is resolved.
enum Entry {
    Rule { rule: Box<Rule>, skip_after: Option<Word> },
    Marker(Vec<u8>),
}

/// A chain that still waits for its next link.
struct OpenChain {
    rule: Box<Rule>,
    skip_after: Option<Word>,
    place: Place,
}

/// State while the statements pass by.
struct Compiler<'a> {
    access: &'a dyn RuleFiles,
    mistakes: Vec<Mistake>,
    options: Options,
    defaults: Defaults,
    entries: Vec<Entry>,
    removed: Vec<Removed>,
    /// Where each id stands, `file:line`.
    ids: HashMap<u64, String>,
    chain: Option<OpenChain>,
    /// The mistake is known: the rest of a broken chain is read without a rule.
    broken_chain: bool,
    files: usize,
}

impl<'a> Compiler<'a> {
    fn new(access: &'a dyn RuleFiles) -> Self {
        Self {
            access,
            mistakes: Vec::new(),
            options: Options::default(),
            defaults: Defaults::default(),
            entries: Vec::new(),
            removed: Vec::new(),
            ids: HashMap::new(),
            chain: None,
            broken_chain: false,
            files: 0,
        }
    }

    fn file(&mut self, file: RuleFile, depth: usize) {
        let source = Arc::new(Source { name: file.name, text: file.text });
        self.files += 1;
        if source.text.len() > limits::FILE_BYTES || self.files > limits::FILES {
            let place = Place { source, offset: 0, length: 1 };
            let message = format!("more than {} files or {} bytes in one", limits::FILES, limits::FILE_BYTES);
            self.mistakes.push(Mistake::new(place, message, "split the file, or include fewer"));
            return;
        }
        let mut containers = Containers::default();
        for line in lexer::lines(&source, &mut self.mistakes) {
            if self.contained(&line, &mut containers) {
                continue;
            }
            let Some(statement) = parser::statement(line, &mut self.mistakes) else {
                // What a broken SecRule would have been is unknown: it may have opened or closed a chain.
                self.broken_chain |= self.chain.take().is_some();
                continue;
            };
            self.statement(statement, &source.name, depth);
        }
        self.end_containers(containers);
    }

    fn statement(&mut self, statement: Statement, from: &str, depth: usize) {
        match statement {
            Statement::Rule(text) => {
                let condition = self.condition(&text, from);
                let set = self.actions(text.directive, text.actions);
                self.link(condition.map(Some), set);
            }
            Statement::Action { directive, actions } => {
                let set = self.actions(directive, actions);
                self.link(Some(None), set);
            }
            Statement::DefaultAction { directive, actions } => {
                self.end_chain();
                self.default_action(directive, actions);
            }
            Statement::Plain { directive, arguments } => {
                self.end_chain();
                self.directive(&directive, &arguments, from, depth);
            }
        }
    }

    /// A rule or the next link of the open chain. `condition`: None is a broken one, Some(None) a SecAction.
    fn link(&mut self, condition: Option<Option<Condition>>, set: ActionSet) {
        let continues = set.chain;
        let place = set.directive.whole();
        if std::mem::replace(&mut self.broken_chain, false) && self.chain.is_none() {
            self.broken_chain = continues;
            return;
        }
        let Some(condition) = condition else {
            // The mistake is noted; a link that starts a rule still has its id and actions looked at.
            if self.chain.take().is_none() {
                let _ = self.first_link(set, None);
            }
            self.broken_chain = continues;
            return;
        };
        let mut open = match self.chain.take() {
            Some(mut open) => {
                let link = self.next_link(set, condition, open.rule.phase);
                open.rule.links.push(link);
                open
            }
            None => {
                let Some((rule, skip_after)) = self.first_link(set, condition) else {
                    self.broken_chain = continues;
                    return;
                };
                OpenChain { rule: Box::new(rule), skip_after, place: place.clone() }
            }
        };
        if open.rule.links.len() > limits::CHAIN_LINKS {
            let message = format!("a chain of more than {} links", limits::CHAIN_LINKS);
            self.mistakes.push(Mistake::new(place, message, "split the rule with setvar"));
            self.broken_chain = continues;
        } else if continues {
            open.place = place;
            self.chain = Some(open);
        } else {
            self.entries.push(Entry::Rule { rule: open.rule, skip_after: open.skip_after });
        }
    }

    /// A chain must be closed before anything but its next link.
    fn end_chain(&mut self) {
        self.broken_chain = false;
        if let Some(open) = self.chain.take() {
            let message = format!("the chain of rule {} is never closed", open.rule.id);
            self.mistakes.push(Mistake::new(
                open.place,
                message,
                "remove `chain` here, or add its last link",
            ));
        }
    }

    fn marker(&mut self, name: &Word) {
        self.entries.push(Entry::Marker(name.text.clone()));
    }

    /// Removes what stands above the directive, as the reference engine does.
    fn remove(&mut self, filter: &RuleFilter, directive: &Word) {
        let by = directive.whole().name();
        let named = |entry: &mut Entry| matches!(entry, Entry::Rule { rule, .. } if filter.names(rule));
        for entry in self.entries.extract_if(.., named) {
            if let Entry::Rule { rule, .. } = entry {
                self.removed.push(Removed { rule, by: by.clone() });
            }
        }
    }

    fn mistake(&mut self, place: Place, message: impl Into<String>, cure: impl Into<String>) {
        self.mistakes.push(Mistake::new(place, message, cure));
    }

    fn unknown<'n>(&mut self, what: &str, name: &Word, known: impl Iterator<Item = &'n str>) {
        let text = name.lossy();
        let cure = diagnostic::nearest(&text, known);
        self.mistake(name.whole(), format!("unknown {what} `{text}`"), cure);
    }

    fn finish(mut self) -> Result<Compiled, Vec<Mistake>> {
        let mut phases: [Vec<Step>; 5] = Default::default();
        let mut rules = 0;
        for (phase, steps) in Phase::ALL.into_iter().zip(&mut phases) {
            *steps = phase_steps(&self.entries, phase, &mut self.mistakes);
            rules += steps.iter().filter(|step| matches!(step, Step::Rule(_))).count();
        }
        match self.mistakes.is_empty() {
            true => Ok(Compiled { options: self.options, phases, rules, removed: self.removed }),
            false => Err(self.mistakes),
        }
    }
}

/// The steps of one phase; every marker stands in every phase. Walked from the end, so that a marker's next place is
/// known when a skipAfter asks for it.
fn phase_steps(entries: &[Entry], phase: Phase, mistakes: &mut Vec<Mistake>) -> Vec<Step> {
    let of_phase = |entry: &&Entry| match entry {
        Entry::Rule { rule, .. } => rule.phase == phase,
        Entry::Marker(_) => true,
    };
    let length = entries.iter().filter(of_phase).count();
    let mut next: HashMap<&[u8], usize> = HashMap::new();
    let mut steps = Vec::with_capacity(length);
    for (entry, index) in entries.iter().rev().filter(of_phase).zip((0..length).rev()) {
        match entry {
            Entry::Marker(name) => {
                next.insert(name, index);
                steps.push(Step::Marker);
            }
            Entry::Rule { rule, skip_after } => {
                let mut rule = rule.clone();
                if let Some(marker) = skip_after {
                    rule.flow = Flow::To(next.get(marker.text.as_slice()).copied().unwrap_or(length));
                    if !next.contains_key(marker.text.as_slice()) {
                        let message = format!("no SecMarker `{}` follows", marker.lossy());
                        mistakes.push(Mistake::new(marker.whole(), message, "add it, or correct the name"));
                    }
                }
                steps.push(Step::Rule(rule));
            }
        }
    }
    steps.reverse();
    steps
}

#[cfg(test)]
pub(in crate::engine) mod packaged;
#[cfg(test)]
mod tests;
