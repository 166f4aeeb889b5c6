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
use crate::control::store::{self, Entry, Guard, Key, Operation, Prefix, Store, StoreError};
use crate::model::Fqdn;

/// Everything of the ledger but certificates and the audit log lies below this.
pub(super) const ROOT: &str = "ledger/";

/// What a writer's guard compares: every change of the ledger sets it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counter {
    pub revision: u64,
    pub tenant_next: u32,
    /// Drawn at random by whoever wrote this revision: it tells a writer whose answer got lost whether it was he, and keeps
    /// apart the parts of two who are after the same revision.
    pub stamp: u64,
    /// Operations of this revision lie below `ledger/pending/<stamp>/`, not carried out yet.
    #[serde(default)]
    pub pending: bool,
}

/// The counter as it was last read or written here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub counter: Counter,
    /// The store's revision that put it; none before the first.
    pub modified: Option<store::Revision>,
}

impl Held {
    /// That nobody wrote since.
    pub fn guard(&self) -> Result<Guard, StoreError> {
        let key = key("counter")?;
        Ok(match self.modified {
            Some(modified) => Guard::ModifiedAt(key, modified),
            None => Guard::Absent(key),
        })
    }

    /// # Errors
    /// The store's, or a counter that was not written by us.
    pub async fn read(store: &dyn Store) -> Result<Self, LedgerError> {
        Self::of(store.get(&key("counter")?).await?.as_ref())
    }

    fn of(entry: Option<&Entry>) -> Result<Self, LedgerError> {
        let Some(entry) = entry else { return Ok(Self::default()) };
        Ok(Self { counter: read(entry.key.as_str(), &entry.value)?, modified: Some(entry.modified) })
    }
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

pub(super) fn pending_prefix(stamp: u64) -> Result<Prefix, StoreError> {
    Prefix::new(format!("{ROOT}pending/{stamp:016x}/"))
}

/// A view, and the counter that it is of.
pub(super) struct Loaded {
    pub view: View,
    pub held: Held,
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
    let held = Held::of(counter_entry.as_ref())?;
    if held.counter.pending {
        let prefix = pending_prefix(held.counter.stamp)?;
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
    let view = view(&values, held.counter, Policy { zone, salt: policy.salt })?;
    Ok(Some(Loaded { view, held }))
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
    found.map(|(name, value)| Ok(T::try_from(read::<D>(&format!("{ROOT}{name}"), value)?)?)).collect()
}

pub(super) fn read<D: DeserializeOwned>(place: &str, value: &[u8]) -> Result<D, LedgerError> {
    serde_json::from_slice(value)
        .map_err(|source| LedgerError::Corrupt { place: place.to_owned(), source: Box::new(source) })
}

pub(super) fn bytes(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents are words and numbers below names, which JSON can write")
}

/// A document as an operation.
pub(super) fn put(rest: &str, document: &impl Serialize) -> Result<Operation, LedgerError> {
    Ok(Operation::put(&key(rest)?, bytes(document)))
}
