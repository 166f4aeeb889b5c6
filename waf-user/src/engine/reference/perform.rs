//! What a match does besides refusing: captures, its actions, the MATCHED variables, and the note for the logs.

use super::{Found, actions};
use crate::engine::limits;
use crate::engine::operator::Operator;
use crate::engine::rule::{Link, Rule};
use crate::engine::state::State;
use crate::engine::template::Template;
use crate::engine::values::{Matched, Values};
use crate::engine::verdict::RuleMatch;

/// TX.0 to TX.9.
const CAPTURES: u8 = 10;

/// The non-disruptive actions of one link, once for each value that matched, as the reference engine does; with the last
/// link the match is noted too.
pub(super) fn link(rule: &Rule, link: &Link, found: &[Found], is_last: bool, state: &mut State) {
    describe(rule, &mut state.values);
    if is_last && let Some(severity) = rule.severity {
        let highest = state.values.highest_severity.get_or_insert(severity);
        *highest = severity.min(*highest);
    }
    // Further links see the matches of all links before them.
    if rule.links.first().is_some_and(|first| std::ptr::eq(first, link)) {
        state.values.matched_vars.clear();
    }
    for (index, one) in found.iter().enumerate() {
        let name = one.name.clone().into_bytes();
        if state.values.matched_vars.len() < limits::MATCHED_VALUES {
            state.values.matched_vars.push((name.clone(), one.value.clone()));
        }
        state.values.matched = Matched { name, value: one.value.clone() };
        if link.capture {
            capture(one, &mut state.values);
        }
        if let Some(Operator::GeoLookup(_)) = link.condition.as_ref().map(|condition| &condition.operator) {
            geo(one, &mut state.values);
        }
        actions::run(&link.actions, index > 0, state);
        if is_last && rule.log {
            note(rule, link, Some(one), state);
        }
    }
    if found.is_empty() {
        actions::run(&link.actions, false, state);
        if is_last && rule.log {
            note(rule, link, None, state);
        }
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

/// Notes one match for the logs.
fn note(rule: &Rule, link: &Link, found: Option<&Found>, state: &mut State) {
    let noted = state.matches.len();
    let is_new = || state.matches.iter().all(|matched| matched.id != rule.id);
    if noted >= limits::MATCHES && (noted >= limits::MATCHES_MAX || !is_new()) {
        return;
    }
    let transformations = link.condition.iter().flat_map(|condition| &condition.transformations);
    let shown =
        found.map_or(&b""[..], |found| found.value.get(..limits::MATCH_VALUE_BYTES).unwrap_or(&found.value));
    let values = &state.values;
    let expand = |template: &Option<Template>| {
        template.as_ref().map(|template| cut(template.expand_lossy(values))).unwrap_or_default()
    };
    let note = RuleMatch {
        id: rule.id,
        phase: rule.phase.number(),
        msg: expand(&rule.msg),
        severity: rule.severity,
        tags: rule.tags.iter().map(|tag| cut(tag.expand_lossy(values))).collect(),
        logdata: expand(&rule.logdata),
        variable: found.map(|found| cut(found.name.clone())).unwrap_or_default(),
        value: String::from_utf8_lossy(shown).into_owned(),
        span: found.and_then(|found| found.spans.first().copied()),
        transformations: transformations.map(|one| one.name().to_owned()).collect(),
    };
    state.matches.push(note);
}

/// A text no longer than a log shows.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(limits::MATCH_TEXT_BYTES));
    text
}

/// GEO: what is known of the address that matched.
fn geo(found: &Found, values: &mut Values) {
    if let Some(place) = values.place_of(&found.value) {
        let pairs = place.pairs().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        values.geo = pairs.collect();
    }
}

fn capture(found: &Found, values: &mut Values) {
    if let Some(text) = &found.captured {
        values.set_tx(b"0", text.clone());
        return;
    }
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
