//! The plain evaluator: one rule at a time, every value through every transformation, as the reference manual tells
//! it. Its meaning is what a faster evaluator beside it must reproduce; both work on the same rules and state.

mod perform;

use std::borrow::Cow;

use super::limits;
use super::operator::{Operator, Spans};
use super::rule::{Condition, Disruptive, EngineMode, Link, Rule, Selection, Sense, Take};
use super::state::{Evaluated, State};
use super::transformation::Transformation;
use super::values::{Value, Values};
use super::variable::Variable;

/// One value that met the condition.
#[derive(Debug)]
struct Found {
    name: String,
    value: Vec<u8>,
    spans: Spans,
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
        let Some(found) = run_link(rule, link, state, &mut cost, refuses && index == last) else {
            return Evaluated { matched: false, cost };
        };
        perform::link(rule, link, &found, state);
        if index == last {
            perform::notes(rule, link, &found, state);
        }
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
) -> Option<Vec<Found>> {
    let Some(condition) = &link.condition else { return Some(Vec::new()) };
    if condition.targets.iter().any(|target| target.selection.variable == Variable::Rule) {
        perform::describe(rule, &mut state.values);
    }
    let excluded: Vec<&Selection> = condition.excluded.iter().chain(state.control.excluded(rule)).collect();
    let mut found = Vec::new();
    for target in &condition.targets {
        let values = &state.values;
        let variable = target.selection.variable;
        let mut count = 0_usize;
        values.each(variable, &mut |value| {
            let wanted = target.selection.selector.selects(value.key)
                && !excluded.iter().any(|selection| selection.selects(value.variable, value.key));
            if !wanted {
                return;
            }
            count += 1;
            if target.take == Take::Values && (found.is_empty() || !first_only) {
                *cost = cost.saturating_add(price(&value));
                look(condition, &value, values, &mut found);
            }
        });
        if target.take == Take::Count {
            let name = format!("&{}", variable.name());
            let bytes = Cow::Owned(count.to_string().into_bytes());
            let value = Value { variable, key: None, bytes };
            let before = found.len();
            look(condition, &value, values, &mut found);
            found.iter_mut().skip(before).for_each(|one| one.name.clone_from(&name));
        }
        if first_only && !found.is_empty() {
            break;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Transforms one value and asks the operator.
/// With multiMatch the value before and after each transformation that changed it is a value of its own, as in the
/// reference engine: actions are done once for each that meets the condition.
fn look(condition: &Condition, value: &Value<'_>, values: &Values, found: &mut Vec<Found>) {
    let mut ask = |bytes: &[u8]| {
        let hit = Operator::matches(&condition.operator, bytes, values);
        let spans = match condition.sense {
            Sense::Plain => hit,
            Sense::Negated => hit.is_none().then(Spans::new),
        };
        found.extend(spans.map(|spans| Found { name: value.full_name(), value: bytes.to_vec(), spans }));
    };
    let mut bytes = Cow::Borrowed(value.bytes.as_ref());
    let mut changed = true;
    for transformation in &condition.transformations {
        if condition.multi_match && changed {
            ask(&bytes);
        }
        (bytes, changed) = transformed(*transformation, bytes);
    }
    if changed || !condition.multi_match {
        ask(&bytes);
    }
}

/// What looking at a value costs.
fn price(value: &Value<'_>) -> u32 {
    u32::try_from(1 + value.bytes.len() / limits::COST_BYTES).unwrap_or(u32::MAX)
}

/// The transformed bytes, and whether they differ.
fn transformed(transformation: Transformation, bytes: Cow<'_, [u8]>) -> (Cow<'_, [u8]>, bool) {
    match bytes {
        Cow::Borrowed(bytes) => {
            let next = transformation.apply(bytes);
            let changed = *next != *bytes;
            (next, changed)
        }
        Cow::Owned(bytes) => {
            let next = transformation.apply(&bytes);
            let changed = *next != *bytes;
            let next = changed.then(|| next.into_owned());
            (Cow::Owned(next.unwrap_or(bytes)), changed)
        }
    }
}
