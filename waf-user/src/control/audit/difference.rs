//! Two JSON values -> what differs, field by field, for the audit log. Of a secret it says that it is one and that it
//! changed, never what it was: told by the field's name, and where that is innocent by the look of the value.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::TEXT as SEALED;

/// Differences of one change: a sheet has a few dozen fields; of a longer list the rest is counted.
const DIFFERENCES_MAX: usize = 500;
/// Characters of one value; of a longer one the beginning is told.
const VALUE_LEN_MAX: usize = 256;
/// Names within names: deeper than any document of ours.
const DEPTH_MAX: usize = 32;

/// Words of a field's name which say that its value is a secret. Too many are redacted rather than too few.
const SECRET_WORDS: [&str; 18] = [
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "key",
    "keys",
    "otp",
    "passphrase",
    "password",
    "passwords",
    "private",
    "psk",
    "secret",
    "secrets",
    "token",
    "tokens",
    "totp",
    "tsig",
];
const REDACTED: &str = "(secret)";
const REDACTED_ANEW: &str = "(another secret)";

/// One field that differs. None: it was not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// `origins[0].url`
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// All differences, without secrets, in the order of the fields' names.
pub fn difference(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Found { differences: Vec::new(), more: 0 };
    found.compare("", Kind::Plain, Some(before), Some(after), 0);
    let Found { mut differences, more } = found;
    if more > 0 {
        let after = Some(format!("{more} more fields differ"));
        differences.push(Difference { field: String::new(), before: None, after });
    }
    differences
}

/// Whether a field's value may be told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Secret,
}

struct Found {
    differences: Vec<Difference>,
    more: usize,
}

impl Found {
    fn compare(
        &mut self,
        field: &str,
        kind: Kind,
        before: Option<&Value>,
        after: Option<&Value>,
        depth: usize,
    ) {
        if before == after {
            return;
        }
        let inner = |field: &str, name: &str| match field {
            "" => name.to_owned(),
            _ => format!("{field}.{name}"),
        };
        match (before, after) {
            _ if kind == Kind::Secret || depth >= DEPTH_MAX => self.add(field, Kind::Secret, before, after),
            // A whole object or list that comes or goes is told field by field: each name decides for itself.
            (Some(Value::Object(_)) | None, Some(Value::Object(_)) | None)
                if before.or(after).is_some_and(Value::is_object) =>
            {
                let members =
                    |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
                let (before, after) = (members(before), members(after));
                let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
                names.sort();
                names.dedup();
                for name in names {
                    let kind = kind_of(name);
                    self.compare(&inner(field, name), kind, before.get(name), after.get(name), depth + 1);
                }
            }
            (Some(Value::Array(_)) | None, Some(Value::Array(_)) | None) => {
                let items =
                    |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
                let (before, after) = (items(before), items(after));
                for at in 0..before.len().max(after.len()) {
                    self.compare(&format!("{field}[{at}]"), kind, before.get(at), after.get(at), depth + 1);
                }
            }
            _ => self.add(field, kind, before, after),
        }
    }

    fn add(&mut self, field: &str, kind: Kind, before: Option<&Value>, after: Option<&Value>) {
        if self.differences.len() >= DIFFERENCES_MAX {
            self.more += 1;
            return;
        }
        let is_secret = |value: Option<&Value>| kind == Kind::Secret || value.is_some_and(looks_secret);
        let text = |value: &Value, redacted: &str| match is_secret(Some(value)) {
            true => redacted.to_owned(),
            false => shown(value),
        };
        let both = before.is_some() && is_secret(before) && is_secret(after);
        let anew = if both { REDACTED_ANEW } else { REDACTED };
        self.differences.push(Difference {
            field: field.to_owned(),
            before: before.map(|value| text(value, REDACTED)),
            after: after.map(|value| text(value, anew)),
        });
    }
}

fn kind_of(name: &str) -> Kind {
    // Camel case too: `privateKey`.
    let mut words = vec![String::new()];
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        }
    }
    let joined = words.concat();
    let is_secret = |word: &str| SECRET_WORDS.contains(&word);
    match words.iter().any(|word| is_secret(word)) || is_secret(&joined) {
        true => Kind::Secret,
        false => Kind::Plain,
    }
}

/// A private key, a sealed value, a bearer token, a password within a URL; also anywhere within a value that is told whole.
fn looks_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let has_password = text.split_once("://").is_some_and(|(_, rest)| {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
            });
            has_password
                || text.contains("PRIVATE KEY-----")
                || text.contains(SEALED)
                || text.trim_start().to_ascii_lowercase().starts_with("bearer ")
        }
        Value::Array(items) => items.iter().any(looks_secret),
        Value::Object(members) => {
            members.iter().any(|(name, value)| kind_of(name) == Kind::Secret || looks_secret(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE_LEN_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests;
