//! Changes of the ledger <-> entries of the audit log, one a revision; and the log as it is read, newest first, with the
//! changes beside the ledger among them.

use serde::{Deserialize, Serialize};

use super::load::{Held, bytes, read};
use super::{Ledger, LedgerError};
use crate::control::audit::aside;
use crate::control::audit::cursor::AuditCursor;
use crate::control::audit::record::{Actor, AuditChange, AuditEntry};
use crate::control::environment::Revision;
use crate::control::store::{Key, Operation, Store, StoreError};
use crate::model::Wall;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditDocument {
    revision: u64,
    /// Milliseconds since 1970.
    at: u64,
    actor: String,
    changes: Vec<AuditChange>,
    /// The other changes of this revision lie in so many entries `audit/<revision>/<part>`, from 1 on.
    #[serde(default)]
    parts: usize,
}

/// Bytes of the changes in one entry of the log. A change has at most 500 differences of which each is cut short, so that
/// one more on top stays within a value's bound.
const AUDIT_BYTES: usize = 256 * 1024;

/// One page of the log, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Where older ones begin; none where there are none.
    pub next: Option<AuditCursor>,
}

impl Ledger {
    /// At most `limit` entries older than `before`, or the newest.
    ///
    /// # Errors
    /// The store's, or an entry that was not written by us.
    pub async fn audit(&self, before: Option<AuditCursor>, limit: usize) -> Result<AuditPage, LedgerError> {
        let store = &*self.store;
        // The store's own counters: the view may be a moment behind what others wrote.
        let mut at = AuditCursor {
            revision: Held::read(store).await?.counter.revision.saturating_add(1),
            aside: aside::count(store).await?.saturating_add(1),
        };
        if let Some(before) = before {
            at =
                AuditCursor { revision: at.revision.min(before.revision), aside: at.aside.min(before.aside) };
        }
        let (mut entries, mut revision, mut aside) = (Vec::new(), None, None);
        while entries.len() < limit {
            while revision.is_none() && at.revision > 1 {
                revision = entry(store, at.revision - 1).await?;
                at.revision -= u64::from(revision.is_none());
            }
            while aside.is_none() && at.aside > 1 {
                aside = aside::entry(store, at.aside - 1).await?;
                at.aside -= u64::from(aside.is_none());
            }
            let is_aside = match (&revision, &aside) {
                (None, None) => break,
                (Some(revision), Some(aside)) => aside.at > revision.at,
                (_, aside) => aside.is_some(),
            };
            let (from, number) =
                if is_aside { (&mut aside, &mut at.aside) } else { (&mut revision, &mut at.revision) };
            entries.extend(from.take());
            *number -= 1;
        }
        let next = (at.revision > 1 || at.aside > 1).then_some(at);
        Ok(AuditPage { entries, next })
    }
}

async fn entry(store: &dyn Store, revision: u64) -> Result<Option<AuditEntry>, LedgerError> {
    let key = audit_key(revision)?;
    let Some(entry) = store.get(&key).await? else { return Ok(None) };
    let AuditDocument { revision, at, actor, mut changes, parts } = read(key.as_str(), &entry.value)?;
    for part in 1..=parts {
        let key = part_key(&key, part)?;
        // Not there yet while its apply is being carried out.
        if let Some(entry) = store.get(&key).await? {
            changes.extend(read::<Vec<AuditChange>>(key.as_str(), &entry.value)?);
        }
    }
    Ok(Some(AuditEntry { revision: Some(Revision(revision)), at: Wall(at), actor, changes }))
}

fn audit_key(revision: u64) -> Result<Key, StoreError> {
    Key::new(format!("audit/{revision:020}"))
}

/// The entry itself, and what of it does not fit there.
pub(super) fn operations(
    revision: Revision,
    (actor, at): (&Actor, Wall),
    changes: &[AuditChange],
) -> Result<(Operation, Vec<Operation>), LedgerError> {
    let key = audit_key(revision.0)?;
    let mut chunks = chunked(changes).into_iter();
    let changes = chunks.next().unwrap_or_default();
    let parts = chunks.len();
    let document = AuditDocument { revision: revision.0, at: at.0, actor: actor.to_string(), changes, parts };
    let others =
        chunks.zip(1..).map(|(chunk, part)| Ok(Operation::put(&part_key(&key, part)?, bytes(&chunk))));
    Ok((Operation::put(&key, bytes(&document)), others.collect::<Result<_, StoreError>>()?))
}

fn chunked(changes: &[AuditChange]) -> Vec<Vec<AuditChange>> {
    let (mut chunks, mut room): (Vec<Vec<AuditChange>>, usize) = (Vec::new(), 0);
    for change in changes {
        let len = bytes(change).len();
        match chunks.last_mut().filter(|_| len <= room) {
            Some(chunk) => chunk.push(change.clone()),
            None => {
                chunks.push(vec![change.clone()]);
                room = AUDIT_BYTES.max(len);
            }
        }
        room -= len;
    }
    chunks
}

fn part_key(entry: &Key, part: usize) -> Result<Key, StoreError> {
    Key::new(format!("{entry}/{part:06}"))
}
