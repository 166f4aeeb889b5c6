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

mod view;

mod customers;
mod nodes;

mod load;
mod log;
mod record;
mod write;

mod follow;

mod error;

pub use error::LedgerError;
pub use log::AuditPage;
pub(super) use record::{certificate_of, is_certificate_of};
pub use view::{CustomerRecord, View};

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, watch};

pub use super::audit::record::Actor;
use super::audit::record::AuditChange;
use super::environment::{Revision, StaleError};
use super::export::IMPORT_UNDER_WAY;
use super::plan::{Plan, Wish};
use super::sheet::Upload;
use super::store::{Entry, Key, Operation, Prefix, Store};
use crate::model::{Fqdn, Wall};
use crate::secret::{KeyRing, Secret, random};
use load::{Counter, Held};

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

/// The store-backed truth. Several processes may have it open on one store.
pub struct Ledger {
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    view: ArcSwap<View>,
    /// The counter that the view is of; whoever writes has it locked.
    held: Mutex<Held>,
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
        if store.get(&Key::new(IMPORT_UNDER_WAY)?).await?.is_some() {
            return Err(LedgerError::ImportUnderWay);
        }
        carry_out(&*store).await?;
        let loaded = match load::load(store.list(&root()?).await?.entries)? {
            Some(loaded) => loaded,
            None => follow::begin(&*store, &zone).await?,
        };
        let kept = loaded.view.policy.zone.clone();
        if kept != zone {
            return Err(LedgerError::Zone { kept, asked: zone });
        }
        let (changed, _) = watch::channel(loaded.view.revision());
        let (view, held) = (ArcSwap::from_pointee(loaded.view), Mutex::new(loaded.held));
        let ledger = Arc::new(Self { store, keys, view, held, changed });
        tokio::spawn(follow::follow(Arc::downgrade(&ledger)));
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
        let mut held = self.held.lock().await;
        let view = self.view();
        let mut next = (*view).clone();
        next.state.apply(plan)?;
        if plan.steps.is_empty() {
            return Ok(Applied { revision: view.revision(), steps: 0 });
        }
        record::owners(&plan.steps).try_for_each(|owner| match view.customers.contains_key(owner) {
            true => Ok(()),
            false => Err(LedgerError::UnknownCustomer(owner.clone())),
        })?;
        let named = record::named_certificates(&plan.steps);
        // What came with a refused wish is not kept.
        let kept = |upload: &Upload| named.iter().any(|(_, it)| *it == upload.certificate.fingerprint);
        let kept = uploads.iter().map(|(_, upload)| upload).filter(|upload| kept(upload));
        let mut operations = record::certificates(&self.keys, kept)?;
        self.all_certificates(plan, &uploads).await?;
        operations.extend(record::steps(&plan.steps)?);
        operations.extend(record::unused_certificates(&view.state, &next.state, &plan.steps)?);
        self.put(&mut held, next, operations, record::of_plan(plan), (actor, now)).await?;
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
        held: &mut Held,
        mut next: View,
        operations: Vec<Operation>,
        changes: Vec<AuditChange>,
        (actor, now): (&Actor, Wall),
    ) -> Result<(), LedgerError> {
        let made = held.counter.revision;
        let before = write::carry_out(&*self.store, *held).await?;
        if before.counter.stamp != held.counter.stamp {
            return Err(self.stale(held, made).await?);
        }
        *held = before;
        let revision = Revision(made + 1);
        next.state.set_revision(revision);
        let stamp = u64::from_le_bytes(random()?);
        let tenant_next = next.state.tenant_next();
        let counter = Counter { revision: revision.0, tenant_next, stamp, pending: false };
        let (audit, others) = log::operations(revision, (actor, now), &changes)?;
        let operations = operations.into_iter().chain(others).collect();
        match write::write(&*self.store, *held, counter, operations, audit).await {
            Ok(written) => {
                *held = written;
                self.show(next);
            }
            Err(LedgerError::Store(error)) if error.is_conflict() => {
                return Err(self.stale(held, made).await?);
            }
            // The answer may be all that got lost: the stamp tells.
            Err(error) => match self.reload(held).await {
                Ok(()) if held.counter.stamp == stamp => {}
                _ => return Err(error),
            },
        }
        match write::carry_out(&*self.store, *held).await {
            Ok(after) if after.counter.stamp == stamp => *held = after,
            // Others went on already; the follower hears of it.
            Ok(_) => {}
            // It counts all the same: the next writer, follower or start carries out the rest.
            Err(error) => {
                tracing::warn!(%error, revision = revision.0, "an apply counts, but is not carried out whole yet")
            }
        }
        Ok(())
    }

    /// Looks anew, and says against which revision a change was made that comes too late.
    async fn stale(&self, held: &mut Held, made: u64) -> Result<LedgerError, LedgerError> {
        self.reload(held).await?;
        Ok(StaleError { made, now: held.counter.revision }.into())
    }

    /// A chain and its key, by the chain's SHA-256.
    ///
    /// # Errors
    /// There is no such certificate, the key ring lacks its key, or the store's.
    pub async fn certificate(&self, fingerprint: &[u8; 32]) -> Result<ChainAndKey, LedgerError> {
        record::certificate(&*self.store, &self.keys, fingerprint).await
    }

    async fn reload(&self, held: &mut Held) -> Result<(), LedgerError> {
        if let Some(loaded) = load::load(self.store.list(&root()?).await?.entries)? {
            *held = loaded.held;
            self.show(loaded.view);
        }
        Ok(())
    }

    fn show(&self, view: View) {
        let revision = view.revision();
        self.view.store(Arc::new(view));
        self.changed.send_if_modified(|shown| std::mem::replace(shown, revision) != revision);
    }
}

/// What entries of a store describe; none where they hold no ledger.
///
/// # Errors
/// They were not written by us.
pub(super) fn view_of(entries: impl Iterator<Item = (Key, Vec<u8>)>) -> Result<Option<View>, LedgerError> {
    let (created, modified) = Default::default();
    let entries = entries.map(|(key, value)| Entry { key, value, created, modified, lease: None });
    Ok(load::load(entries.collect())?.map(|loaded| loaded.view))
}

/// Carries out what counts in a store and is not done yet.
///
/// # Errors
/// The store's.
pub(super) async fn carry_out(store: &dyn Store) -> Result<(), LedgerError> {
    write::carry_out(store, Held::read(store).await?).await.map(drop)
}

fn root() -> Result<Prefix, LedgerError> {
    Ok(Prefix::new(load::ROOT)?)
}

#[cfg(test)]
mod tests;
