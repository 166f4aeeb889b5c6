//! Changes of the customers' records, with operation and line of the audit log.

use serde_json::Value;

use super::load::{key, put};
use super::{Actor, Applied, CustomerRecord, Ledger, LedgerError};
use crate::control::audit::difference::difference;
use crate::control::audit::record::AuditChange;
use crate::control::document::CustomerDocument;
use crate::control::environment::Customer;
use crate::control::store::{Guard, Operation};
use crate::model::Wall;

impl Ledger {
    /// Adds a customer, or changes its note; `since` stays that of the first time.
    ///
    /// # Errors
    /// The store's.
    pub async fn put_customer(
        &self,
        record: &CustomerRecord,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        let mut held = self.held.lock().await;
        let mut next = (*self.view()).clone();
        let known = next.customers.get(&record.name);
        let since = known.map_or(record.since, |known| known.since);
        let record = CustomerRecord { since, ..record.clone() };
        if known == Some(&record) {
            return Ok(Applied { revision: next.revision(), steps: 0 });
        }
        let (operation, change) = altered(known, Some(&record), &record.name)?;
        next.customers.insert(record.name.clone(), record);
        self.put(&mut held, next, vec![operation], vec![change], (actor, now)).await?;
        Ok(Applied { revision: self.view().revision(), steps: 1 })
    }

    /// That this customer is there and stays as it is: for changes beside the ledger that only then make sense.
    ///
    /// # Errors
    /// There is no such customer, or the store's.
    pub async fn customer_guard(&self, name: &Customer) -> Result<Guard, LedgerError> {
        let key = key(&format!("customer/{name}"))?;
        match self.store.get(&key).await? {
            Some(entry) => Ok(Guard::ModifiedAt(key, entry.modified)),
            None => Err(LedgerError::UnknownCustomer(name.clone())),
        }
    }

    /// # Errors
    /// There is no such customer, or it has sites; the store's.
    pub async fn remove_customer(
        &self,
        name: &Customer,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        let mut held = self.held.lock().await;
        let mut next = (*self.view()).clone();
        let sites = next.state.sites().values().filter(|site| site.customer == *name).count();
        if sites > 0 {
            return Err(LedgerError::CustomerHasSites { customer: name.clone(), sites });
        }
        let Some(known) = next.customers.remove(name) else {
            return Err(LedgerError::UnknownCustomer(name.clone()));
        };
        let (operation, change) = altered(Some(&known), None, name)?;
        self.put(&mut held, next, vec![operation], vec![change], (actor, now)).await?;
        Ok(Applied { revision: self.view().revision(), steps: 1 })
    }
}

fn altered(
    before: Option<&CustomerRecord>,
    after: Option<&CustomerRecord>,
    name: &Customer,
) -> Result<(Operation, AuditChange), LedgerError> {
    let rest = format!("customer/{name}");
    let operation = match after {
        Some(record) => put(&rest, &CustomerDocument::from(record))?,
        None => Operation::Delete(key(&rest)?),
    };
    let value = |record: Option<&CustomerRecord>| {
        record.map_or(Value::Null, |it| serde_json::to_value(CustomerDocument::from(it)).unwrap_or_default())
    };
    let change = AuditChange {
        subject: format!("customer {name}"),
        action: if after.is_some() { "put" } else { "remove" }.to_owned(),
        customer: None,
        reasons: Vec::new(),
        differences: difference(&value(before), &value(after)),
    };
    Ok((operation, change))
}
