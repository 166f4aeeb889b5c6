//! What people did to bans -> lines of the audit log, without secrets.

use serde_json::{Map, Value};

use super::entry::{Kept, Terms};
use super::write::{Decision, Wish};
use super::{Actor, Where};
use crate::control::audit::difference::difference;
use crate::control::audit::record::AuditChange;
use crate::model::sync::BanKey;

/// Who does it, to what.
#[derive(Clone, Debug)]
pub(super) struct By<'a> {
    pub actor: &'a Actor,
    pub place: &'a Where,
}

/// One wish, and what came of it.
pub(super) type Done<'a> = (BanKey, &'a Wish, Option<&'a Kept>, Decision);

impl By<'_> {
    /// Prefix by prefix what was and what is. During a move a prefix is told of once.
    pub fn change(&self, done: &[Done<'_>]) -> AuditChange {
        let (mut before, mut after) = (Map::new(), Map::new());
        for (key, wish, there, decision) in done {
            let prefix = key.prefix.to_string();
            match decision {
                Decision::Leave => continue,
                Decision::Put(_) => drop(after.insert(prefix.clone(), shown(wish.terms()))),
                Decision::Delete => {}
            }
            if let Some(kept) = there {
                before.insert(prefix, shown(Some(&kept.terms)));
            }
        }
        let action = match done.first().map(|(_, wish, ..)| wish) {
            Some(Wish::Lengthen(_)) => "import",
            Some(Wish::Lift) => "lift",
            Some(Wish::Set(_)) | None => "ban",
        };
        AuditChange {
            subject: match self.place {
                Where::Fleet => "bans of the fleet".to_owned(),
                Where::Site(fqdn, _) => format!("bans of site {fqdn}"),
            },
            action: action.to_owned(),
            customer: match self.actor {
                Actor::Customer { customer, .. } => Some(customer.to_string()),
                Actor::Operator(_) | Actor::System => None,
            },
            reasons: Vec::new(),
            differences: difference(&Value::Object(before), &Value::Object(after)),
        }
    }
}

/// `operator, until 2026-01-01T00:00:00Z, scans for logins`
fn shown(terms: Option<&Terms>) -> Value {
    let Some(Terms { expires, source, reason }) = terms else { return Value::Null };
    let until = expires.map(|expires| {
        let at = i64::try_from(expires.0 / 1000).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
        format!("until {}", at.unwrap_or(jiff::Timestamp::MAX))
    });
    let until = until.unwrap_or_else(|| "until lifted".to_owned());
    let mut text = format!("{}, {until}", source.label());
    if !reason.is_empty() {
        text.push_str(", ");
        text.push_str(reason);
    }
    Value::String(text)
}
