//! Entries of the store -> a [`View`]. One listing is one moment, and each transaction of a large apply is whole in it or
//! not there: what is still to be carried out is laid over what lies there, so nothing half is ever seen.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{CustomerRecord, LedgerError, View};
use crate::control::document::{CustomerDocument, EnvironmentDocument, NodeDocument, SiteDocument};
use crate::control::environment::{Environment, Revision, Site, State};
use crate::control::inventory::{Inventory, Node};
use crate::control::plan::Policy;
use crate::control::store::{Entry, Key, Operation, Prefix, StoreError};
use crate::model::Fqdn;

/// Everything of the ledger but certificates and the audit log lies below this.
pub(super) const ROOT: &str = "ledger/";

/// What a writer's guard compares: every change of the ledger sets it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counter {
    pub revision: u64,
    pub tenant_next: u32,
    /// The operations of this revision lie below `ledger/pending/<this>/` and are not all carried out. Drawn at random, so
    /// that two writers who are after the same revision never mix their parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
}

/// What holds for ever.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyDocument {
    pub zone: String,
    pub salt: u64,
}

/// One operation of a large apply. None: delete.
pub(super) type Pending = Vec<(String, Option<String>)>;

pub(super) fn key(rest: &str) -> Result<Key, StoreError> {
    Key::new(format!("{ROOT}{rest}"))
}

pub(super) fn pending_prefix(id: u64) -> Result<Prefix, StoreError> {
    Prefix::new(format!("{ROOT}pending/{id:016x}/"))
}

/// A view, and the entry whose revision the next writer compares.
pub(super) struct Loaded {
    pub view: View,
    pub counter: Counter,
    pub counter_entry: Option<Entry>,
}

/// None of the policy: the store is new.
pub(super) fn load(entries: Vec<Entry>) -> Result<Option<Loaded>, LedgerError> {
    let mut values: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut parts: Vec<Entry> = Vec::new();
    let mut counter_entry = None;
    for entry in entries {
        let Some(rest) = entry.key.as_str().strip_prefix(ROOT) else { continue };
        match rest {
            "counter" => counter_entry = Some(entry),
            _ if rest.starts_with("pending/") => parts.push(entry),
            _ => drop(values.insert(rest.to_owned(), entry.value)),
        }
    }
    let counter = match &counter_entry {
        Some(entry) => read::<Counter>(entry.key.as_str(), &entry.value)?,
        None => Counter::default(),
    };
    if let Some(id) = counter.pending {
        let prefix = pending_prefix(id)?;
        for part in parts.iter().filter(|part| prefix.holds(&part.key)) {
            for (key, value) in read::<Pending>(part.key.as_str(), &part.value)? {
                let rest = key.strip_prefix(ROOT).unwrap_or(&key).to_owned();
                match value {
                    Some(value) => drop(values.insert(rest, value.into_bytes())),
                    None => drop(values.remove(&rest)),
                }
            }
        }
    }
    let Some(policy) = values.get("policy") else { return Ok(None) };
    let policy: PolicyDocument = read("ledger/policy", policy)?;
    let zone = Fqdn::new(&policy.zone).map_err(|source| LedgerError::Corrupt {
        place: "ledger/policy".to_owned(),
        source: Box::new(source),
    })?;
    let view = view(&values, counter, Policy { zone, salt: policy.salt })?;
    Ok(Some(Loaded { view, counter, counter_entry }))
}

fn view(values: &BTreeMap<String, Vec<u8>>, counter: Counter, policy: Policy) -> Result<View, LedgerError> {
    let sites = all::<SiteDocument, Site>(values, "site/")?;
    let environments = all::<EnvironmentDocument, Environment>(values, "environment/")?;
    let nodes = all::<NodeDocument, Node>(values, "node/")?;
    let customers = all::<CustomerDocument, CustomerRecord>(values, "customer/")?;
    Ok(View {
        state: State::new(Revision(counter.revision), counter.tenant_next.max(1), sites, environments),
        inventory: Inventory::new(nodes).map_err(LedgerError::Inventory)?,
        policy,
        customers: customers.into_iter().map(|it| (it.name.clone(), it)).collect(),
    })
}

fn all<D, T>(values: &BTreeMap<String, Vec<u8>>, below: &str) -> Result<Vec<T>, LedgerError>
where
    D: DeserializeOwned,
    T: TryFrom<D>,
    LedgerError: From<T::Error>,
{
    let found = values.range(below.to_owned()..).take_while(|(name, _)| name.starts_with(below));
    found.map(|(name, value)| Ok(T::try_from(read::<D>(name, value)?)?)).collect()
}

pub(super) fn read<D: DeserializeOwned>(place: &str, value: &[u8]) -> Result<D, LedgerError> {
    serde_json::from_slice(value)
        .map_err(|source| LedgerError::Corrupt { place: place.to_owned(), source: Box::new(source) })
}

/// A document as an operation. Serialising plain words and numbers does not fail.
pub(super) fn put(rest: &str, document: &impl Serialize) -> Result<Operation, LedgerError> {
    Ok(Operation::put(&key(rest)?, serde_json::to_vec(document).unwrap_or_default()))
}
