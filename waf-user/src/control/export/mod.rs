//! The whole state of a control plane <-> one text that can be compared line by line: JSON with the store's keys in order,
//! secrets sealed as they are at rest. The same state gives the same bytes. Not in it: the audit log, and what lives only as
//! long as its lease.

mod read;
mod write;

mod error;

pub use error::ExportError;
pub use read::{Checked, IMPORT_UNDER_WAY, check, import};
pub use write::export;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::hex;

/// Of the text's form; a text of another version is refused with a sentence.
const VERSION: u32 = 1;

/// Beginnings of the keys that are exported.
const KEPT: [&str; 8] =
    ["authority/", "ban/", "certificate/", "join/", "ledger/", "node-certificate/", "revoked/", "token/"];
/// Parts of an apply under way: none are there in an export.
const PENDING: &str = "ledger/pending/";
const COUNTER: &str = "ledger/counter";
const POLICY: &str = "ledger/policy";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    waf_export: u32,
    entries: BTreeMap<String, Value>,
}

/// What is no JSON in the store is text or bytes, under these names.
const AS_TEXT: &str = "$text";
const AS_BYTES: &str = "$hex";

fn to_words(value: &[u8]) -> Value {
    let odd =
        |name: &str, words: String| Value::Object([(name.to_owned(), words.into())].into_iter().collect());
    match (serde_json::from_slice(value), str::from_utf8(value)) {
        (Ok(words), _) => words,
        (Err(_), Ok(text)) => odd(AS_TEXT, text.to_owned()),
        (Err(_), Err(_)) => odd(AS_BYTES, hex::encode(value)),
    }
}

/// None of digits that are none.
fn from_words(words: &Value) -> Option<Vec<u8>> {
    let odd = |name: &str| words.as_object().filter(|it| it.len() == 1)?.get(name)?.as_str();
    match (odd(AS_TEXT), odd(AS_BYTES)) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (_, Some(digits)) => hex::decode(digits),
        _ => Some(words.to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests;
