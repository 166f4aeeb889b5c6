//! How nodes are, kept in the store under a lease for the other control processes, and read from there: what a process
//! that died said of its nodes goes by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::fleet::Fleet;
use super::limits::{CHUNK_LEN, GATHER_FOR, KEEP_EVERY, KEPT_FOR, STORE_AGAIN_AFTER};
use super::seat::{Seat, lock};
use crate::control::store::{
    Change, Entry, Followed, Follower, Guard, Key, LeaseId, Operation, Prefix, Revision, StoreError,
    Transaction,
};
use crate::model::NodeName;

const PREFIX: &str = "node-status/";

/// How a connected node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStanding {
    /// Connected since, ms since 1970.
    pub since_ms: u64,
    /// Served; 0 = nothing of ours.
    pub generation: u64,
    /// Of the document served.
    pub hash: String,
    /// The revision whose document it is to serve.
    pub target: u64,
    /// The revision whose document it has staged and does not serve yet; 0 = none.
    pub staged: u64,
    /// Whether it serves its target's document, perhaps under an earlier generation.
    pub is_current: bool,
    /// Whether it serves a later revision than this control plane knows: it was restored from a backup.
    pub is_ahead: bool,
    /// Whether it serves all its tenants.
    pub is_ready: bool,
    /// Why it did not take what was sent last.
    pub refused: Option<String>,
    pub software: String,
    /// Bans that hold there.
    pub bans: u64,
    /// When its certificate ends, ms since 1970.
    pub certificate_ends_ms: u64,
}

impl NodeStanding {
    /// Whether nobody need wait for it with this revision.
    fn is_settled(&self, revision: u64) -> bool {
        let is_done = self.is_current || self.refused.is_some() || self.is_ahead;
        self.staged >= revision || (self.target >= revision && is_done)
    }
}

/// What is to be written, and what others wrote.
pub(super) struct Kept {
    /// This process among all.
    process: u64,
    dirty: Mutex<BTreeSet<NodeName>>,
    is_dirty: Notify,
    others: Mutex<BTreeMap<NodeName, NodeStanding>>,
    lease: Mutex<Option<LeaseId>>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    process: u64,
    #[serde(flatten)]
    standing: NodeStanding,
}

impl Default for Kept {
    fn default() -> Self {
        use std::hash::BuildHasher;
        let process = std::hash::RandomState::new().hash_one(std::process::id());
        let (dirty, others, lease) = Default::default();
        Self { process, dirty, is_dirty: Notify::new(), others, lease }
    }
}

impl Kept {
    /// Something about a node is to be written.
    pub fn tell(&self, node: &NodeName) {
        lock(&self.dirty).insert(node.clone());
        self.is_dirty.notify_one();
    }

    /// Nodes of other processes.
    pub fn others(&self) -> Vec<NodeName> {
        lock(&self.others).keys().cloned().collect()
    }

    /// Whether one of these nodes of other processes has yet to stage what it is to serve at a revision.
    pub fn is_awaited(&self, nodes: &BTreeSet<NodeName>, revision: u64) -> bool {
        let others = lock(&self.others);
        nodes.iter().any(|node| others.get(node).is_some_and(|standing| !standing.is_settled(revision)))
    }

    /// What another process says.
    pub fn elsewhere(&self, node: &NodeName) -> Option<NodeStanding> {
        lock(&self.others).get(node).cloned()
    }
}

/// Writes what is told.
pub async fn keep(fleet: &Fleet) -> Infallible {
    loop {
        let Err(error) = keep_lease(fleet).await;
        tracing::warn!(%error, "other control processes do not hear of this one's nodes at the moment");
        tokio::time::sleep(STORE_AGAIN_AFTER).await;
    }
}

async fn keep_lease(fleet: &Fleet) -> Result<Infallible, StoreError> {
    let lease = fleet.store.grant(KEPT_FOR).await?;
    *lock(&fleet.kept.lease) = Some(lease);
    let (mut written, mut ticks) = (Written::new(), tokio::time::interval(KEEP_EVERY));
    let seated: Vec<NodeName> = lock(&fleet.hub).seats.keys().cloned().collect();
    seated.iter().for_each(|node| fleet.kept.tell(node));
    loop {
        tokio::select! {
            () = fleet.kept.is_dirty.notified() => {
                // A wave changes something of many nodes, and of each some times.
                tokio::time::sleep(GATHER_FOR).await;
                let dirty = std::mem::take(&mut *lock(&fleet.kept.dirty));
                write(fleet, lease, dirty, &mut written).await?;
            }
            _ = ticks.tick() => fleet.store.keep_alive(lease).await?,
        }
    }
}

/// What this process wrote of each node.
type Written = HashMap<NodeName, Entered>;

/// What was written of one stream.
struct Entered {
    seat: Arc<Seat>,
    value: Vec<u8>,
    /// None once another process has written over it: the node has its stream there by now, whatever becomes of this one.
    modified: Option<Revision>,
}

async fn write(
    fleet: &Fleet,
    lease: LeaseId,
    dirty: BTreeSet<NodeName>,
    written: &mut Written,
) -> Result<(), StoreError> {
    let prefix = Prefix::new(PREFIX)?;
    let mut puts = Vec::new();
    for node in dirty {
        let seat = lock(&fleet.hub).seats.get(&node).cloned();
        let before = written.get(&node);
        match seat {
            Some(seat) => {
                let before = before.filter(|before| Arc::ptr_eq(&before.seat, &seat));
                let document = Document { process: fleet.kept.process, standing: seat.standing() };
                let value = serde_json::to_vec(&document).expect("text and numbers");
                let is_due = before.is_none_or(|it| it.modified.is_some() && it.value != value);
                if is_due {
                    let guard = before.and_then(|it| it.modified);
                    puts.push(Put { key: prefix.key(&node)?, node, seat, value, guard });
                }
            }
            None => {
                if let Some(Entered { modified: Some(modified), .. }) = written.remove(&node) {
                    take(fleet, prefix.key(&node)?, modified).await?;
                }
            }
        }
    }
    for chunk in puts.chunks(CHUNK_LEN) {
        match put(fleet, lease, chunk).await {
            Err(error) if error.is_conflict() => {
                // One of them has gone to another process: which, each by itself tells.
                for one in chunk {
                    let modified = match put(fleet, lease, std::slice::from_ref(one)).await {
                        Err(error) if error.is_conflict() => None,
                        put => Some(put?),
                    };
                    written.insert(one.node.clone(), one.entered(modified));
                }
            }
            put => {
                let revision = put?;
                written.extend(chunk.iter().map(|one| (one.node.clone(), one.entered(Some(revision)))));
            }
        }
    }
    Ok(())
}

/// What is to be written of one node. The first of a stream is written over everything, for the stream is the newest; what
/// follows only over what it wrote itself.
struct Put {
    key: Key,
    node: NodeName,
    seat: Arc<Seat>,
    value: Vec<u8>,
    guard: Option<Revision>,
}

impl Put {
    fn entered(&self, modified: Option<Revision>) -> Entered {
        Entered { seat: Arc::clone(&self.seat), value: self.value.clone(), modified }
    }
}

async fn put(fleet: &Fleet, lease: LeaseId, puts: &[Put]) -> Result<Revision, StoreError> {
    let guards = puts.iter().filter_map(|it| Some(Guard::ModifiedAt(it.key.clone(), it.guard?)));
    let operations = puts.iter().map(|it| Operation::Put {
        key: it.key.clone(),
        value: it.value.clone(),
        lease: Some(lease),
    });
    fleet.store.commit(Transaction::new(guards.collect(), operations.collect())?).await
}

/// Takes away what this process wrote of a node.
async fn take(fleet: &Fleet, key: Key, modified: Revision) -> Result<(), StoreError> {
    let ours = Guard::ModifiedAt(key.clone(), modified);
    match fleet.store.commit(Transaction::new(vec![ours], vec![Operation::Delete(key)])?).await {
        // Another process has a stream with it by now.
        Err(error) if error.is_conflict() => Ok(()),
        other => other.map(drop),
    }
}

/// Takes away all that this process wrote, as it ends. Where it cannot, the lease runs out.
pub async fn forget(fleet: &Fleet) {
    let lease = lock(&fleet.kept.lease).take();
    if let Some(lease) = lease
        && !matches!(timeout(STORE_AGAIN_AFTER, fleet.store.revoke(lease)).await, Ok(Ok(())))
    {
        tracing::debug!("what is kept of this process's nodes goes a little later");
    }
}

/// Reads what others write.
pub async fn follow(fleet: &Fleet) -> Infallible {
    let prefix = Prefix::new(PREFIX).expect("visible ASCII");
    let mut follower = Follower::new(fleet.store.clone(), prefix.clone());
    let read = |entry: &Entry| {
        let node = NodeName::new(prefix.rest(&entry.key)?).ok()?;
        let document: Document = serde_json::from_slice(&entry.value).ok()?;
        Some((node, (document.process != fleet.kept.process).then_some(document.standing)))
    };
    loop {
        let followed = match follower.next().await {
            Ok(followed) => followed,
            Err(error) => {
                tracing::debug!(%error, "nodes of other control processes are not followed at the moment");
                tokio::time::sleep(STORE_AGAIN_AFTER).await;
                continue;
            }
        };
        let mut others = lock(&fleet.kept.others);
        let set = |others: &mut BTreeMap<NodeName, NodeStanding>, entry: &Entry| match read(entry) {
            Some((node, Some(standing))) => drop(others.insert(node, standing)),
            Some((node, None)) => drop(others.remove(&node)),
            None => {}
        };
        match followed {
            Followed::Listing(listing) => {
                others.clear();
                listing.entries.iter().for_each(|entry| set(&mut others, entry));
            }
            Followed::Changes(changes) => changes.changes.iter().for_each(|change| match change {
                Change::Put(entry) => set(&mut others, entry),
                Change::Deleted(key) => {
                    let node = prefix.rest(key).and_then(|node| NodeName::new(node).ok());
                    node.map(|node| others.remove(&node));
                }
            }),
        }
        drop(others);
        fleet.is_settled.notify_one();
    }
}
