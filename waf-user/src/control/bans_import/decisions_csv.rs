//! CrowdSec's decisions as CSV -> bans. Columns are told by the first line: `value` with `scope` and `duration` is what
//! `cscli decisions import` reads, `ip` (as `Scope:value`) with `action` and `expiration` what `cscli decisions list -o raw`
//! prints.

use std::borrow::Cow;

use super::decisions_json::Decision;
use super::{Fault, Gather, csv, is_comment, lines};

/// Whether a line names the columns of decisions.
pub(super) fn is_header(line: &str) -> bool {
    line.contains(',') && Columns::read(line).is_ok()
}

/// Where each column stands.
#[derive(Default)]
struct Columns {
    value: usize,
    /// `value` holds the scope too, before a colon.
    value_has_scope: bool,
    scope: Option<usize>,
    measure: Option<usize>,
    duration: Option<usize>,
    reason: Option<usize>,
    simulated: Option<usize>,
}

impl Columns {
    fn read(line: &str) -> Result<Self, Fault> {
        let mut columns = Self::default();
        let (mut value, mut ip) = (None, None);
        for (at, name) in csv::fields(line)?.iter().enumerate() {
            match &**name {
                "value" => value = Some(at),
                "ip" => ip = Some(at),
                "scope" => columns.scope = Some(at),
                "type" | "action" => columns.measure = Some(at),
                "duration" | "expiration" => columns.duration = Some(at),
                "reason" | "scenario" => columns.reason = Some(at),
                "simulated" => columns.simulated = Some(at),
                _ => {}
            }
        }
        columns.value_has_scope = value.is_none();
        columns.value = value.or(ip).ok_or(Fault::Header)?;
        Ok(columns)
    }
}

pub(super) fn read(text: &str, gather: &mut Gather) {
    let mut lines = lines(text).filter(|(_, line)| !line.is_empty() && !is_comment(line));
    let Some((number, header)) = lines.next() else { return };
    let columns = match Columns::read(header) {
        Ok(columns) => columns,
        Err(fault) => return gather.fault(number, fault),
    };
    for (number, line) in lines {
        match csv::fields(line) {
            Ok(fields) => decision(&columns, &fields).gather(number, gather),
            Err(fault) => gather.fault(number, fault),
        }
    }
}

fn decision<'a>(columns: &Columns, fields: &'a [Cow<'a, str>]) -> Decision<'a> {
    let field = |at: usize| fields.get(at).map(|field| &**field).filter(|field| !field.is_empty());
    let value = field(columns.value);
    let (scope, value) = match value.and_then(|value| value.split_once(':')) {
        Some((scope, value)) if columns.value_has_scope => (Some(scope), Some(value)),
        _ => (columns.scope.and_then(field), value),
    };
    Decision {
        value,
        scope,
        measure: columns.measure.and_then(field),
        duration: columns.duration.and_then(field),
        reason: columns.reason.and_then(field),
        is_simulated: columns.simulated.and_then(field) == Some("true"),
    }
}
