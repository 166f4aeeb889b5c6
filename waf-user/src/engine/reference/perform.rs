//! What a match does besides refusing: captures, setvar, ctl, the MATCHED variables, and the note for the logs.

use super::Found;
use crate::engine::limits;
use crate::engine::operator::number::whole_number;
use crate::engine::rule::{Change, Link, Rule, SetVar};
use crate::engine::state::State;
use crate::engine::template::Template;
use crate::engine::values::{Matched, Values};
use crate::engine::verdict::RuleMatch;

/// TX.0 to TX.9.
const CAPTURES: u8 = 10;

/// The non-disruptive actions of one link, once for each value that matched, as the reference engine does.
pub(super) fn link(rule: &Rule, link: &Link, found: &[Found], state: &mut State) {
    describe(rule, &mut state.values);
    if link.condition.is_some() {
        state.values.matched_vars.clear();
    }
    for one in found {
        let name = one.name.clone().into_bytes();
        state.values.matched_vars.push((name.clone(), one.value.clone()));
        state.values.matched = Matched { name, value: one.value.clone() };
        if link.capture {
            capture(one, &mut state.values);
        }
        set_vars(&link.set_vars, &mut state.values);
    }
    if found.is_empty() {
        set_vars(&link.set_vars, &mut state.values);
    }
    for ctl in &link.ctls {
        state.control.apply(ctl);
    }
}

/// RULE: what the current rule says of itself.
pub(super) fn describe(rule: &Rule, values: &mut Values) {
    let literal = |template: &Option<Template>| {
        template.as_ref().and_then(|template| template.as_literal()).unwrap_or_default().to_vec()
    };
    values.rule.clear();
    values.rule.push((b"id".to_vec(), rule.id.to_string().into_bytes()));
    values.rule.push((b"phase".to_vec(), rule.phase.number().to_string().into_bytes()));
    values.rule.push((b"msg".to_vec(), literal(&rule.msg)));
    values.rule.push((b"rev".to_vec(), rule.rev.clone().into_bytes()));
    values.rule.push((b"ver".to_vec(), rule.ver.clone().into_bytes()));
    if let Some(severity) = rule.severity {
        values.rule.push((b"severity".to_vec(), severity.to_string().into_bytes()));
    }
}

/// Notes a match of the whole rule: once for each value of its last link.
pub(super) fn notes(rule: &Rule, link: &Link, found: &[Found], state: &mut State) {
    if let Some(severity) = rule.severity {
        let highest = state.values.highest_severity.get_or_insert(severity);
        *highest = severity.min(*highest);
    }
    if !rule.log {
        return;
    }
    let transformations = link.condition.iter().flat_map(|condition| &condition.transformations);
    let transformations: Vec<String> = transformations.map(|one| one.name().to_owned()).collect();
    let whole = RuleMatch {
        id: rule.id,
        phase: rule.phase.number(),
        severity: rule.severity,
        transformations,
        ..RuleMatch::default()
    };
    if found.is_empty() {
        push(rule, RuleMatch { ..whole }, state);
        return;
    }
    for one in found {
        let shown = one.value.get(..limits::MATCH_VALUE_BYTES).unwrap_or(&one.value);
        let note = RuleMatch {
            variable: one.name.clone(),
            value: String::from_utf8_lossy(shown).into_owned(),
            span: one.spans.first().copied(),
            ..whole.clone()
        };
        state.values.matched = Matched { name: one.name.clone().into_bytes(), value: one.value.clone() };
        push(rule, note, state);
    }
}

fn push(rule: &Rule, note: RuleMatch, state: &mut State) {
    if state.matches.len() >= limits::MATCHES {
        return;
    }
    let values = &state.values;
    let expand = |template: &Option<Template>| {
        template.as_ref().map(|template| template.expand_lossy(values)).unwrap_or_default()
    };
    let note = RuleMatch {
        msg: expand(&rule.msg),
        logdata: expand(&rule.logdata),
        tags: rule.tags.iter().map(|tag| tag.expand_lossy(values)).collect(),
        ..note
    };
    state.matches.push(note);
}

fn capture(found: &Found, values: &mut Values) {
    for index in 0..CAPTURES {
        let name = [b'0' + index];
        match found.spans.get(usize::from(index)).and_then(|(from, to)| found.value.get(*from..*to)) {
            Some(text) => values.set_tx(&name, text.to_vec()),
            None => {
                values.tx.remove(name.as_slice());
            }
        }
    }
}

fn set_vars(set_vars: &[SetVar], values: &mut Values) {
    for set_var in set_vars {
        let name = set_var.name.expand(values).to_ascii_lowercase();
        let before = values.tx.get(&name).map_or(0, |value| whole_number(value));
        let value = match &set_var.change {
            Change::Delete => {
                values.tx.remove(&name);
                continue;
            }
            Change::Assign(value) => value.expand(values).into_owned(),
            Change::Add(amount) => {
                before.saturating_add(whole_number(&amount.expand(values))).to_string().into_bytes()
            }
            Change::Subtract(amount) => {
                before.saturating_sub(whole_number(&amount.expand(values))).to_string().into_bytes()
            }
        };
        values.set_tx(&name, value);
    }
}
