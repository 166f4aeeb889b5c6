//! Actions that set something, run in the order written.

use crate::engine::limits;
use crate::engine::operator::number::whole_number;
use crate::engine::rule::{Action, Change, Ctl, Holder, SetVar};
use crate::engine::state::State;
use crate::engine::template::Template;
use crate::engine::values::Values;

/// Runs the actions of a link for one match. `again`: not the first match; ctl says the same each time.
pub fn run(actions: &[Action], again: bool, state: &mut State) {
    for action in actions {
        match action {
            Action::SetVar(set_var) => self::set_var(set_var, &mut state.values),
            Action::Expire { holder, name, seconds } => expire(*holder, name, seconds, &mut state.values),
            Action::Deprecate { holder, name, amount, seconds } => {
                deprecate(*holder, name, amount, seconds, &mut state.values);
            }
            Action::Open { scope, key } => {
                let key = key.expand(&state.values).into_owned();
                state.open_record(*scope, &key);
            }
            Action::SetEnv { name, value } => set_env(name, value, &mut state.values),
            Action::Ctl(_) if again => {}
            Action::Ctl(ctl) => {
                if let Ctl::BodyProcessor(processor) = ctl {
                    state.values.body_processor = processor.name().as_bytes().to_vec();
                }
                state.control.apply(ctl);
            }
        }
    }
}

fn set_var(set_var: &SetVar, values: &mut Values) {
    let name = set_var.name.expand(values).to_ascii_lowercase();
    let before = || value(set_var.holder, &name, values).map_or(0, whole_number);
    let value = match &set_var.change {
        Change::Delete => None,
        Change::Assign(value) => Some(value.expand(values).into_owned()),
        // Counters never go below zero, as in the reference engine.
        Change::Add(amount) => {
            Some(number(before().saturating_add(whole_number(&amount.expand(values))).max(0)))
        }
        Change::Subtract(amount) => {
            Some(number(before().saturating_sub(whole_number(&amount.expand(values))).max(0)))
        }
    };
    set(set_var.holder, &name, value, values);
}

fn expire(holder: Holder, name: &Template, seconds: &Template, values: &mut Values) {
    let name = name.expand(values).to_ascii_lowercase();
    let seconds = u64::try_from(whole_number(&seconds.expand(values))).unwrap_or(0);
    let at_s = (values.now_unix_ms / 1000).saturating_add(seconds);
    // A TX variable ends with its transaction anyway.
    if let Holder::Record(scope) = holder
        && let Some(open) = values.records.get_mut(&scope)
    {
        open.expire_at(&name, at_s);
    }
}

fn deprecate(holder: Holder, name: &Template, amount: &Template, seconds: &Template, values: &mut Values) {
    let name = name.expand(values).to_ascii_lowercase();
    let (amount, seconds) = (whole_number(&amount.expand(values)), whole_number(&seconds.expand(values)));
    let Holder::Record(scope) = holder else { return };
    let Some(open) = values.records.get_mut(&scope) else { return };
    let Some(before) = open.record.values.get(&name).map(|value| whole_number(value)) else { return };
    let age = (values.now_unix_ms / 1000).saturating_sub(open.updated_s());
    let turns = i64::try_from(age).unwrap_or(i64::MAX).checked_div(seconds).unwrap_or(0);
    let after = before.saturating_sub(turns.saturating_mul(amount)).max(0);
    if after < before {
        open.set(&name, number(after));
    }
}

fn set_env(name: &Template, value: &Template, values: &mut Values) {
    let name = name.expand(values).into_owned();
    let value = value.expand(values).into_owned();
    values.env.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
    if values.env.len() < limits::ENV_VARIABLES {
        values.env.push((name, value));
    }
}

fn value<'a>(holder: Holder, name: &[u8], values: &'a Values) -> Option<&'a [u8]> {
    match holder {
        Holder::Tx => values.tx(name),
        Holder::Record(scope) => {
            let record = values.records.get(&scope).map(|open| &open.record);
            record.and_then(|record| record.values.get(name)).map(Vec::as_slice)
        }
    }
}

fn set(holder: Holder, name: &[u8], value: Option<Vec<u8>>, values: &mut Values) {
    match (holder, value) {
        (Holder::Tx, Some(value)) => values.set_tx(name, value),
        (Holder::Tx, None) => drop(values.tx.remove(name)),
        (Holder::Record(scope), value) => {
            let Some(open) = values.records.get_mut(&scope) else { return };
            match value {
                Some(value) => open.set(name, value),
                None => open.remove(name),
            }
        }
    }
}

fn number(value: i64) -> Vec<u8> {
    value.to_string().into_bytes()
}
