//! The seam between a transaction and its evaluator: what every evaluator reads, changes and answers.

use std::sync::Arc;

use super::collection::{Collections, OpenRecord, RecordKey, Scope};
use super::control::Control;
use super::limits;
use super::values::Values;
use super::verdict::RuleMatch;

/// What an evaluator works on: everything of a transaction that rules read and change.
#[derive(Debug)]
pub struct State {
    pub values: Values,
    pub control: Control,
    pub matches: Vec<RuleMatch>,
    pub store: Store,
}

/// Where the transaction's persistent records come from and go to.
#[derive(Debug, Default)]
pub struct Store {
    /// None: records live as long as the transaction.
    pub collections: Option<Arc<dyn Collections>>,
    pub tenant: Arc<str>,
    pub timeout_s: u64,
}

/// The outcome of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// All links matched.
    pub matched: bool,
    /// Values looked at and their bytes, at least 1: what a budget is spent on.
    pub cost: u32,
}

impl State {
    /// Opens a record; one that is open already stays, as in the reference engine. SESSION and USER belong to an
    /// application.
    pub fn open_record(&mut self, scope: Scope, key: &[u8]) {
        let key = key.get(..limits::RECORD_KEY_BYTES).unwrap_or(key).to_vec();
        match scope {
            Scope::Session => self.values.session_id = Some(key.clone()),
            Scope::User => self.values.user_id = Some(key.clone()),
            _ => {}
        }
        if key.is_empty() || self.values.records.contains_key(&scope) {
            return;
        }
        let own = matches!(scope, Scope::Session | Scope::User) && !self.values.web_app_id.is_empty();
        let key = if own { [self.values.web_app_id.as_bytes(), b"_", &key].concat() } else { key };
        let key = RecordKey { tenant: Arc::clone(&self.store.tenant), scope, key };
        let now_s = self.values.now_unix_ms / 1000;
        let record = OpenRecord::open(self.store.collections.as_deref(), key, now_s, self.store.timeout_s);
        self.values.records.insert(scope, record);
    }

    /// Writes back what rules changed of the records.
    pub fn store_records(&mut self) {
        let Some(collections) = &self.store.collections else { return };
        let now_s = self.values.now_unix_ms / 1000;
        for record in self.values.records.values() {
            record.store(&**collections, now_s, self.store.timeout_s);
        }
    }
}
