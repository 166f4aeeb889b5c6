//! The beginning of a ledger, and what other processes write to it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::load::{self, Held, Loaded};
use super::{Ledger, LedgerError, root, write};
use crate::control::store::{Follower, Prefix, Store, Transaction};
use crate::model::Fqdn;
use crate::secret::random;

/// How long a follower waits after the store could not be asked.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Draws what holds for ever. Of two processes that begin at once, both have what the first one drew.
pub(super) async fn begin(store: &dyn Store, zone: &Fqdn) -> Result<Loaded, LedgerError> {
    let document = load::PolicyDocument { zone: zone.to_string(), salt: u64::from_le_bytes(random()?) };
    let key = load::key("policy")?;
    match store.commit(Transaction::replace(&key, None, load::bytes(&document))?).await {
        Err(error) if error.is_conflict() => {}
        other => drop(other?),
    }
    let loaded = load::load(store.list(&root()?).await?.entries)?;
    loaded.ok_or_else(|| LedgerError::Gone(key.to_string()))
}

/// Follows what other processes write, for as long as somebody holds the ledger.
pub(super) async fn follow(ledger: Weak<Ledger>) {
    let Some(store) = ledger.upgrade().map(|ledger| Arc::clone(&ledger.store)) else { return };
    let Ok(prefix) = load::key("counter").and_then(|key| Prefix::new(key.as_str())) else { return };
    let mut follower = Follower::new(store, prefix);
    loop {
        let told = follower.next().await;
        let Some(ledger) = ledger.upgrade() else { return };
        let seen = match told {
            Ok(_) => ledger.catch_up().await,
            Err(error) => Err(error.into()),
        };
        drop(ledger);
        if let Err(error) = seen {
            tracing::warn!(%error, "the ledger is not followed at the moment");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

impl Ledger {
    /// Looks anew where another process has written, and helps it to carry that out.
    async fn catch_up(&self) -> Result<(), LedgerError> {
        let mut held = self.held.lock().await;
        if Held::read(&*self.store).await? != *held {
            self.reload(&mut held).await?;
        }
        let after = write::carry_out(&*self.store, *held).await?;
        if after.counter.stamp == held.counter.stamp {
            *held = after;
        }
        Ok(())
    }
}
