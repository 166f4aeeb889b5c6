//! All nodes that are connected to this control process, with what they are to serve.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::error::Refused;
use super::kept::{Kept, NodeStanding};
use super::limits::Times;
use super::seat::{Seat, lock};
use super::session::{Heard, Session};
use super::target::Target;
use super::{SyncError, kept, listen, revocations, wave};
use crate::control::authority::Authority;
use crate::control::bans::BanBook;
use crate::control::ledger::{Ledger, View};
use crate::control::store::Store;
use crate::control::usage::{self, UsageBook};
use crate::model::sync::{Greeting, VERSION};
use crate::model::{NodeName, Wall};
use crate::tls::Peer;

/// The nodes' side of one control process.
pub struct Fleet {
    pub(super) store: Arc<dyn Store>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) authority: Arc<Authority>,
    pub(super) bans: Arc<BanBook>,
    pub(super) hub: Mutex<Hub>,
    /// Up to this generation what is staged may be served.
    go: AtomicU64,
    /// A wave may be over.
    pub(super) is_settled: Notify,
    pub(super) kept: Kept,
    pub(super) times: Times,
    usage: Arc<UsageBook>,
}

/// What a fleet is served from.
pub(super) type Parts = (Arc<dyn Store>, Arc<Ledger>, Arc<Authority>, Arc<BanBook>);

/// What changes under one lock.
pub(super) struct Hub {
    pub view: Arc<View>,
    pub seats: BTreeMap<NodeName, Arc<Seat>>,
    /// Nodes that the wave under way waits for.
    pub waiting: BTreeSet<NodeName>,
    /// The same, of nodes that have their streams with other processes.
    pub waiting_elsewhere: BTreeSet<NodeName>,
    /// Serial numbers of certificates.
    pub revoked: HashSet<String>,
}

impl Fleet {
    /// Of nobody yet.
    pub fn new(
        store: Arc<dyn Store>,
        ledger: Arc<Ledger>,
        authority: Arc<Authority>,
        bans: Arc<BanBook>,
    ) -> Arc<Self> {
        Arc::new(Self::with_times((store, ledger, authority, bans), Times::default()))
    }

    pub(super) fn with_times((store, ledger, authority, bans): Parts, times: Times) -> Self {
        let view = ledger.view();
        let go = AtomicU64::new(view.revision().0);
        let (seats, revoked, waiting, waiting_elsewhere) = Default::default();
        let hub = Mutex::new(Hub { view, seats, waiting, waiting_elsewhere, revoked });
        let is_settled = Notify::new();
        let (kept, usage) = (Kept::default(), Arc::default());
        Self { store, ledger, authority, bans, hub, go, is_settled, kept, times, usage }
    }

    /// Serves nodes until `shutdown`; then all connections are closed, and nodes look for another process.
    ///
    /// # Errors
    /// The listener cannot be set up.
    pub async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), SyncError> {
        tokio::select! {
            ended = listen::listen(self, listener) => ended.map(|never| match never {}),
            never = wave::run(self) => match never {},
            never = kept::keep(self) => match never {},
            never = kept::follow(self) => match never {},
            never = revocations::follow(self) => match never {},
            never = usage::tell(&self.ledger, &self.usage) => match never {},
            () = shutdown => {
                kept::forget(self).await;
                Ok(())
            }
        }
    }

    /// How a node is; none where no control process has a stream with it.
    pub fn standing(&self, node: &NodeName) -> Option<NodeStanding> {
        let seat = lock(&self.hub).seats.get(node).cloned();
        seat.map(|seat| seat.standing()).or_else(|| self.kept.elsewhere(node))
    }

    /// What nodes tell of their tenants' traffic.
    pub const fn usage(&self) -> &Arc<UsageBook> {
        &self.usage
    }

    pub(super) fn go(&self) -> u64 {
        self.go.load(Ordering::Acquire)
    }

    pub(super) fn set_go(&self, generation: u64) {
        self.go.fetch_max(generation, Ordering::AcqRel);
        lock(&self.hub).seats.values().for_each(|seat| seat.wake.notify_one());
    }

    /// A seat for a node that says hello. One that it has already is given up.
    pub(super) async fn seat(&self, peer: Peer, hello: &Greeting, now: Wall) -> Result<Arc<Seat>, Refused> {
        let forbidden = |sentence: String| Refused::new(StatusCode::FORBIDDEN, sentence);
        if hello.version != VERSION {
            let (theirs, software) = (hello.version, &hello.software);
            return Err(Refused::new(
                StatusCode::CONFLICT,
                format!(
                    "{software} speaks version {theirs} of these words, control {VERSION}: update the node"
                ),
            ));
        }
        let node = self.admit(&peer).await?;
        if hello.node != peer.name {
            return Err(forbidden(format!(
                "this node calls itself {}, but its certificate is node {node}'s",
                hello.node
            )));
        }
        let mut hub = lock(&self.hub);
        // Revoked since it was asked.
        if hub.revoked.contains(&peer.serial) {
            return Err(forbidden(revoked(&node)));
        }
        let target = Target::of(&node, &hub.view).ok_or_else(|| forbidden(gone(&node, &hub.view)))?;
        let session = Session::new(hello, Arc::new(target));
        let seat = Arc::new(Seat::new(node.clone(), peer, now, hello.software.clone(), session));
        if let Some(older) = hub.seats.insert(node, Arc::clone(&seat)) {
            older.end("this node has opened another stream");
        }
        drop(hub);
        self.kept.tell(&seat.node);
        Ok(seat)
    }

    /// Whether a certificate may speak at all.
    pub(super) async fn admit(&self, peer: &Peer) -> Result<NodeName, Refused> {
        let forbidden = |sentence: String| Refused::new(StatusCode::FORBIDDEN, sentence);
        let node = NodeName::new(&peer.name)
            .map_err(|error| forbidden(format!("{:?} is no node's certificate: {error}", peer.name)))?;
        match self.authority.is_revoked(&peer.serial).await {
            Ok(false) => Ok(node),
            Ok(true) => Err(forbidden(revoked(&node))),
            Err(error) => Err(Refused::ours("look whether a certificate is revoked", &error)),
        }
    }

    /// The stream is over.
    pub(super) fn leave(&self, seat: &Arc<Seat>) {
        let mut hub = lock(&self.hub);
        if hub.seats.get(&seat.node).is_some_and(|it| Arc::ptr_eq(it, seat)) {
            hub.seats.remove(&seat.node);
            hub.waiting.remove(&seat.node);
        }
        drop(hub);
        self.is_settled.notify_one();
        self.kept.tell(&seat.node);
    }

    /// A wave need not wait for this node.
    pub(super) fn settled(&self, seat: &Arc<Seat>) {
        let mut hub = lock(&self.hub);
        if hub.seats.get(&seat.node).is_some_and(|it| Arc::ptr_eq(it, seat)) {
            hub.waiting.remove(&seat.node);
        }
        drop(hub);
        self.is_settled.notify_one();
        self.kept.tell(&seat.node);
    }

    /// What a node's message means to the wave and to those who look.
    pub(super) fn heard(&self, seat: &Arc<Seat>, heard: &Heard) {
        match heard {
            Heard::Nothing => return,
            Heard::Due => {}
            Heard::Settled { generation } => {
                if *generation == seat.session().target().generation {
                    self.settled(seat);
                }
            }
            Heard::Moved => self.kept.tell(&seat.node),
        }
        seat.wake.notify_one();
    }
}

pub(super) fn revoked(node: &NodeName) -> String {
    format!("the certificate of node {node} is revoked: join again with a new token")
}

/// Why a node is sent nothing.
pub(super) fn gone(node: &NodeName, view: &View) -> String {
    match view.inventory.node(node) {
        Some(_) => format!("node {node} is dead in the inventory: waf fleet undrain {node} takes it back"),
        None => format!("node {node} is not in the inventory: waf fleet apply adds it"),
    }
}
