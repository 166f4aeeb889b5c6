//! The plain evaluator: one rule at a time, every value through every transformation, as the reference manual tells
//! it. Its meaning is what a faster evaluator beside it must reproduce; both work on the same rules and state.

mod actions;
mod perform;

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use super::limits;
use super::operator::{Operator, Spans};
use super::rule::{Condition, Disruptive, EngineMode, Link, Rule, Selection, Selector, Sense, Take};
use super::state::{Evaluated, State};
use super::values::{Value, Values};
use super::variable::Variable;

/// One value that met the condition.
#[derive(Debug)]
struct Found {
    name: String,
    value: Vec<u8>,
    spans: Spans,
    /// What capture keeps as TX.0 where it is no part of the value.
    captured: Option<Vec<u8>>,
}

/// The values that met one condition, as many as are kept.
#[derive(Debug, Default)]
struct Finds {
    list: Vec<Found>,
    bytes: usize,
}

impl Finds {
    fn push(&mut self, found: Found) {
        if !self.is_full() {
            self.bytes += found.name.len() + found.value.len();
            self.list.push(found);
        }
    }

    /// See [`limits::MATCHED_VALUES`].
    fn is_full(&self) -> bool {
        self.list.len() >= limits::MATCHED_VALUES || self.bytes >= limits::MATCHED_BYTES
    }
}

/// Runs one rule with its chain: non-disruptive actions are done and matches noted here, disruption and flow are the
/// caller's. Linear in the values that the rule names.
pub fn evaluate(rule: &Rule, state: &mut State) -> Evaluated {
    let mut cost = 1;
    if state.control.removes(rule) {
        return Evaluated { matched: false, cost };
    }
    // Only the first match of a rule that refuses counts: nothing runs after a refusal.
    let refuses = matches!(rule.disruptive, Disruptive::Deny | Disruptive::Drop | Disruptive::Redirect(_))
        && state.control.engine == EngineMode::On;
    let last = rule.links.len().saturating_sub(1);
    for (index, link) in rule.links.iter().enumerate() {
        let of_first = index == 0;
        let found = run_link(rule, link, state, &mut cost, refuses && index == last, of_first);
        if state.values.pattern_spent.swap(false, Ordering::Relaxed) {
            state.values.set_tx(b"msc_pcre_limits_exceeded", b"1".to_vec());
        }
        let Some(found) = found else { return Evaluated { matched: false, cost } };
        perform::link(rule, link, &found, index == last, state);
    }
    Evaluated { matched: true, cost }
}

/// The values that met the link's condition; None: it did not match. A SecAction matches without a value.
fn run_link(
    rule: &Rule,
    link: &Link,
    state: &mut State,
    cost: &mut u32,
    first_only: bool,
    of_first: bool,
) -> Option<Vec<Found>> {
    let Some(condition) = &link.condition else { return Some(Vec::new()) };
    if condition.targets.iter().any(|target| target.selection.variable == Variable::Rule) {
        perform::describe(rule, &mut state.values);
    }
    let excluded: Vec<&Selection> =
        condition.excluded.iter().chain(state.control.excluded(rule, of_first)).collect();
    let mut found = Finds::default();
    for target in &condition.targets {
        let values = &state.values;
        let variable = target.selection.variable;
        let mut count = 0_usize;
        let name = match &target.selection.selector {
            Selector::Name(name) => Some(name.as_slice()),
            Selector::All | Selector::Pattern(..) => None,
        };
        values.each_named(variable, name, &mut |value| {
            if !target.selection.selector.selects(value.key) {
                return;
            }
            count += 1;
            if excluded.iter().any(|selection| selection.selects(value.variable, value.key)) {
                return;
            }
            if target.take == Take::Values && !found.is_full() && (found.list.is_empty() || !first_only) {
                *cost = cost.saturating_add(price(&value));
                look(condition, &value, values, &mut found);
            }
        });
        if target.take == Take::Count {
            let whole = excluded.iter().any(|selection| selection.selects(variable, None));
            let bytes = Cow::Owned(count.to_string().into_bytes());
            let value = Value { variable, key: None, bytes };
            if !whole {
                look(condition, &value, values, &mut found);
            }
        }
        if first_only && !found.list.is_empty() {
            break;
        }
    }
    (!found.list.is_empty()).then_some(found.list)
}

/// Transforms one value and asks the operator. With multiMatch the value before and after each transformation that
/// changed it is a value of its own, as in the reference engine: actions are done once for each that meets the condition.
fn look(condition: &Condition, value: &Value<'_>, values: &Values, found: &mut Finds) {
    let mut ask = |bytes: &[u8]| {
        let hit = Operator::matches(&condition.operator, bytes, values);
        let (spans, captured) = match (condition.sense, hit) {
            (Sense::Plain, Some(spans)) => (spans, condition.operator.captured(bytes)),
            (Sense::Negated, None) => (Spans::new(), None),
            (Sense::Plain, None) | (Sense::Negated, Some(_)) => return,
        };
        found.push(Found { name: value.full_name(), value: bytes.to_vec(), spans, captured });
    };
    let mut made: Vec<u8>;
    let mut bytes: &[u8] = &value.bytes;
    let mut changed = true;
    for transformation in &condition.transformations {
        if condition.multi_match && changed {
            ask(bytes);
        }
        // What does not change is neither copied nor, but for multiMatch, compared.
        match transformation.apply(bytes) {
            Cow::Borrowed(part) => {
                changed = part.len() != bytes.len();
                bytes = part;
            }
            Cow::Owned(next) => {
                changed = !condition.multi_match || *next != *bytes;
                made = next;
                bytes = &made;
            }
        }
    }
    if changed || !condition.multi_match {
        ask(bytes);
    }
}

/// What looking at a value costs.
fn price(value: &Value<'_>) -> u32 {
    u32::try_from(1 + value.bytes.len() / limits::COST_BYTES).unwrap_or(u32::MAX)
}
