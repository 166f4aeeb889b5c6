//! The truth of a control plane, kept in a store and followed by every control process: plans and changes of the
//! inventory become one more revision, whole or not at all, each with an entry of the audit log. Knows no node that runs
//! and nobody's rights.
//!
//! ```text
//! ledger/counter                  revision, next tenant, the apply under way: what every writer's guard compares
//! ledger/{policy,site,environment,node,customer}/…    documents
//! ledger/pending/<writer>/<part>  operations of an apply that counts and is not carried out whole yet
//! certificate/<fingerprint>       chain, and key sealed
//! audit/<revision>                who, when, what
//! ```

mod error;
mod load;
mod nodes;
mod record;
mod view;
mod write;

pub use error::LedgerError;
pub use view::{CustomerRecord, View};

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, watch};

pub use super::audit::record::Actor;
use super::audit::record::{AuditChange, AuditEntry};
use super::environment::{Customer, Revision, StaleError};
use super::inventory::{Inventory, Node, NodeState};
use super::plan::{Plan, Wish};
use super::sheet::Upload;
use super::store::{Entry, Follower, Operation, Prefix, Store, Transaction};
use crate::model::{Fqdn, NodeName, Wall};
use crate::secret::{KeyRing, Secret};
use load::{Counter, Loaded};

/// What an apply made true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The ledger's revision from now on; that of before where the plan changed nothing.
    pub revision: Revision,
    /// Steps carried out.
    pub steps: usize,
}

/// A certificate chain as PEM text, and its key as PEM text.
pub type ChainAndKey = (String, Secret<Vec<u8>>);

/// How long a follower waits after the store could not be asked.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The store-backed truth. Several processes may have it open on one store.
pub struct Ledger {
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    view: ArcSwap<View>,
    /// The counter as the view has it; whoever writes holds it.
    counter: Mutex<(Counter, Option<Entry>)>,
    changed: watch::Sender<Revision>,
}

impl Ledger {
    /// Opens what the store holds, or begins it; an apply that was cut off is carried out first.
    ///
    /// # Errors
    /// Another zone is kept there, what lies there was not written by us, or the store's.
    pub async fn open(
        store: Arc<dyn Store>,
        keys: Arc<KeyRing>,
        zone: Fqdn,
    ) -> Result<Arc<Self>, LedgerError> {
        write::carry_out(&*store).await?;
        let loaded = match load::load(store.list(&root()?).await?.entries)? {
            Some(loaded) => loaded,
            None => begin(&*store, &zone).await?,
        };
        let kept = loaded.view.policy.zone.clone();
        if kept != zone {
            return Err(LedgerError::Zone { kept, asked: zone });
        }
        let (changed, _) = watch::channel(loaded.view.revision());
        let (view, counter) = (ArcSwap::from_pointee(loaded.view), (loaded.counter, loaded.counter_entry));
        let ledger = Arc::new(Self { store, keys, view, counter: Mutex::new(counter), changed });
        tokio::spawn(follow(Arc::downgrade(&ledger)));
        Ok(ledger)
    }

    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Tells each new revision.
    pub fn changed(&self) -> watch::Receiver<Revision> {
        self.changed.subscribe()
    }

    pub fn plan(&self, wishes: &[Wish], now: Wall) -> Plan {
        self.view().plan(wishes, now)
    }

    /// Makes a plan true, with the certificates that came with its sheets and an entry of the audit log.
    ///
    /// # Errors
    /// See [`LedgerError`]: the plan is of an older revision, a certificate is missing, the store's.
    pub async fn apply(
        &self,
        plan: &Plan,
        uploads: Vec<(Fqdn, Upload)>,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        let mut counter = self.counter.lock().await;
        let view = self.view();
        let mut next = (*view).clone();
        next.state.apply(plan)?;
        if plan.steps.is_empty() {
            return Ok(Applied { revision: view.revision(), steps: 0 });
        }
        let mut operations = record::certificates(&self.keys, &uploads)?;
        self.all_certificates(plan, &uploads).await?;
        operations.extend(record::steps(&plan.steps)?);
        self.put(&mut counter, next, operations, record::of_plan(plan), (actor, now)).await?;
        Ok(Applied { revision: self.view().revision(), steps: plan.steps.len() })
    }

    /// Every certificate that a step names comes with it or is there.
    async fn all_certificates(&self, plan: &Plan, uploads: &[(Fqdn, Upload)]) -> Result<(), LedgerError> {
        for (fqdn, fingerprint) in record::named_certificates(&plan.steps) {
            let comes = uploads.iter().any(|(_, upload)| upload.certificate.fingerprint == fingerprint);
            if !comes && self.store.get(&record::certificate_key(&fingerprint)?).await?.is_none() {
                return Err(LedgerError::CertificateMissing(fqdn));
            }
        }
        Ok(())
    }

    /// Writes `next` as one more revision and lets it be the view.
    async fn put(
        &self,
        counter: &mut (Counter, Option<Entry>),
        mut next: View,
        operations: Vec<Operation>,
        changes: Vec<AuditChange>,
        (actor, now): (&Actor, Wall),
    ) -> Result<(), LedgerError> {
        let made = counter.0.revision;
        if counter.0.pending.is_some() {
            write::carry_out(&*self.store).await?;
            self.reload(counter).await?;
            if counter.0.revision != made {
                return Err(StaleError { made, now: counter.0.revision }.into());
            }
        }
        let revision = Revision(made + 1);
        next.state.set_revision(revision);
        let counted = Counter { revision: revision.0, tenant_next: next.state.tenant_next(), pending: None };
        let (audit, others) =
            record::audit(&AuditEntry { revision, at: now, actor: actor.to_string(), changes })?;
        let operations = operations.into_iter().chain(others).collect();
        let written = write::write(&*self.store, counter.1.as_ref(), counted, operations, audit).await;
        match written {
            Err(LedgerError::Store(error)) if error.is_conflict() => {
                self.reload(counter).await?;
                Err(StaleError { made, now: counter.0.revision }.into())
            }
            Err(error) => {
                // What was written counts or not; the store alone knows.
                let _ = self.reload(counter).await;
                Err(error)
            }
            Ok(()) => {
                *counter = (counted, self.store.get(&load::key("counter")?).await?);
                if counter.1.as_ref().is_none_or(|entry| entry.value != record::bytes(&counted)) {
                    return self.reload(counter).await;
                }
                self.show(next);
                Ok(())
            }
        }
    }

    /// Adds nodes to the inventory, or changes them.
    ///
    /// # Errors
    /// The inventory would be wrong, a node that serves would lose what it serves at, or the store's.
    pub async fn put_nodes(
        &self,
        nodes: Vec<Node>,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        self.alter_nodes(actor, now, |view| {
            let mut all: Vec<Node> = view.inventory.nodes().to_vec();
            for node in nodes {
                nodes::may_change(view, &node)?;
                all.retain(|known| known.name != node.name);
                all.push(node);
            }
            Ok(all)
        })
        .await
    }

    /// # Errors
    /// There is no such node, or the store's.
    pub async fn set_node_state(
        &self,
        name: &NodeName,
        state: NodeState,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        self.alter_nodes(actor, now, |view| {
            let mut all: Vec<Node> = view.inventory.nodes().to_vec();
            let found = all.iter_mut().find(|node| node.name == *name);
            found.ok_or_else(|| LedgerError::UnknownNode(name.clone()))?.state = state;
            Ok(all)
        })
        .await
    }

    /// # Errors
    /// There is no such node, it serves something, or the store's.
    pub async fn remove_node(
        &self,
        name: &NodeName,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        self.alter_nodes(actor, now, |view| {
            view.inventory.node(name).ok_or_else(|| LedgerError::UnknownNode(name.clone()))?;
            match view.state.on(name).count() {
                0 => Ok(view.inventory.nodes().iter().filter(|node| node.name != *name).cloned().collect()),
                environments => Err(LedgerError::NodeInUse { node: name.clone(), environments }),
            }
        })
        .await
    }

    async fn alter_nodes(
        &self,
        actor: &Actor,
        now: Wall,
        alter: impl FnOnce(&View) -> Result<Vec<Node>, LedgerError>,
    ) -> Result<Applied, LedgerError> {
        let mut counter = self.counter.lock().await;
        let mut next = (*self.view()).clone();
        let inventory = Inventory::new(alter(&next)?).map_err(LedgerError::Inventory)?;
        let (operations, changes) = nodes::differing(&next.inventory, &inventory)?;
        let steps = operations.len();
        if steps > 0 {
            next.inventory = inventory;
            self.put(&mut counter, next, operations, changes, (actor, now)).await?;
        }
        Ok(Applied { revision: self.view().revision(), steps })
    }

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
        let mut counter = self.counter.lock().await;
        let mut next = (*self.view()).clone();
        let known = next.customers.get(&record.name);
        let since = known.map_or(record.since, |known| known.since);
        let record = CustomerRecord { since, ..record.clone() };
        if known == Some(&record) {
            return Ok(Applied { revision: next.revision(), steps: 0 });
        }
        let (operation, change) = record::customer(known, Some(&record), &record.name)?;
        next.customers.insert(record.name.clone(), record);
        self.put(&mut counter, next, vec![operation], vec![change], (actor, now)).await?;
        Ok(Applied { revision: self.view().revision(), steps: 1 })
    }

    /// # Errors
    /// There is no such customer, or it has sites; the store's.
    pub async fn remove_customer(
        &self,
        name: &Customer,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        let mut counter = self.counter.lock().await;
        let mut next = (*self.view()).clone();
        let sites = next.state.sites().values().filter(|site| site.customer == *name).count();
        if sites > 0 {
            return Err(LedgerError::CustomerHasSites { customer: name.clone(), sites });
        }
        let Some(known) = next.customers.remove(name) else {
            return Err(LedgerError::UnknownCustomer(name.clone()));
        };
        let (operation, change) = record::customer(Some(&known), None, name)?;
        self.put(&mut counter, next, vec![operation], vec![change], (actor, now)).await?;
        Ok(Applied { revision: self.view().revision(), steps: 1 })
    }

    /// A chain and its key, by the chain's SHA-256.
    ///
    /// # Errors
    /// There is no such certificate, the key ring lacks its key, or the store's.
    pub async fn certificate(&self, fingerprint: &[u8; 32]) -> Result<ChainAndKey, LedgerError> {
        record::certificate(&*self.store, &self.keys, fingerprint).await
    }

    /// Newest first, at most `limit`, all older than `before` where given.
    ///
    /// # Errors
    /// The store's, or an entry that was not written by us.
    pub async fn audit(
        &self,
        before: Option<Revision>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, LedgerError> {
        record::audit_entries(&*self.store, self.view().revision(), before, limit).await
    }

    async fn reload(&self, counter: &mut (Counter, Option<Entry>)) -> Result<(), LedgerError> {
        let listing = self.store.list(&root()?).await?;
        if let Some(loaded) = load::load(listing.entries)? {
            *counter = (loaded.counter, loaded.counter_entry);
            self.show(loaded.view);
        }
        Ok(())
    }

    /// Whether the store's counter is another than the one that the view was made of.
    async fn is_behind(&self, (_, entry): &(Counter, Option<Entry>)) -> Result<bool, LedgerError> {
        let now = self.store.get(&load::key("counter")?).await?;
        Ok(now.map(|entry| entry.modified) != entry.as_ref().map(|entry| entry.modified))
    }

    fn show(&self, view: View) {
        let revision = view.revision();
        self.view.store(Arc::new(view));
        self.changed.send_if_modified(|shown| std::mem::replace(shown, revision) != revision);
    }
}

/// Draws what holds for ever. Of two processes that begin at once, both have what the first one drew.
async fn begin(store: &dyn Store, zone: &Fqdn) -> Result<Loaded, LedgerError> {
    let document = load::PolicyDocument { zone: zone.to_string(), salt: write::random()? };
    let key = load::key("policy")?;
    match store.commit(Transaction::replace(&key, None, record::bytes(&document))?).await {
        Err(error) if error.is_conflict() => {}
        other => drop(other?),
    }
    let loaded = load::load(store.list(&root()?).await?.entries)?;
    loaded.ok_or_else(|| LedgerError::Gone(key.to_string()))
}

/// Follows what other processes write, for as long as somebody holds the ledger.
async fn follow(ledger: Weak<Ledger>) {
    let Some(store) = ledger.upgrade().map(|ledger| Arc::clone(&ledger.store)) else { return };
    let Ok(prefix) = load::key("counter").and_then(|key| Prefix::new(key.as_str())) else { return };
    let mut follower = Follower::new(store, prefix);
    loop {
        let told = follower.next().await;
        let Some(ledger) = ledger.upgrade() else { return };
        let seen = match told {
            Ok(_) => {
                let mut counter = ledger.counter.lock().await;
                match ledger.is_behind(&counter).await {
                    Ok(true) => ledger.reload(&mut counter).await,
                    Ok(false) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error.into()),
        };
        drop(ledger);
        if let Err(error) = seen {
            tracing::warn!(%error, "the ledger is not followed at the moment");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

fn root() -> Result<Prefix, LedgerError> {
    Ok(Prefix::new(load::ROOT)?)
}

#[cfg(test)]
mod tests;
