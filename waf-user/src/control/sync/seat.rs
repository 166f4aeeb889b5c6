//! One connected node, for its stream and for whoever asks after it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::kept::NodeStanding;
use super::session::Session;
use crate::model::sync::Status;
use crate::model::{NodeName, Wall};
use crate::tls::Peer;

/// What lives as long as the stream.
#[derive(Debug)]
pub struct Seat {
    pub node: NodeName,
    pub peer: Peer,
    pub since: Wall,
    pub software: String,
    session: Mutex<Session>,
    status: Mutex<Status>,
    ending: Mutex<Option<String>>,
    /// Something may be due.
    pub wake: Notify,
    end: Notify,
}

impl Seat {
    pub fn new(node: NodeName, peer: Peer, since: Wall, software: String, session: Session) -> Self {
        Self {
            node,
            peer,
            since,
            software,
            session: Mutex::new(session),
            status: Mutex::default(),
            ending: Mutex::default(),
            wake: Notify::new(),
            end: Notify::new(),
        }
    }

    pub fn session(&self) -> MutexGuard<'_, Session> {
        lock(&self.session)
    }

    /// Keeps how the node says that it is. Whether people want to know.
    pub fn tell(&self, status: Status) -> bool {
        let mut kept = lock(&self.status);
        let is_news = kept.is_ready != status.is_ready;
        *kept = status;
        is_news
    }

    pub fn standing(&self) -> NodeStanding {
        let (session, status) = (self.session(), lock(&self.status));
        NodeStanding {
            since_ms: self.since.0,
            generation: session.generation(),
            hash: session.hash().to_owned(),
            target: session.target().generation,
            staged: session.staged().unwrap_or(0),
            is_current: session.is_current(),
            is_ahead: session.is_ahead(),
            is_ready: status.is_ready,
            refused: session.refused().map(str::to_owned),
            software: self.software.clone(),
            bans: status.bans,
            certificate_ends_ms: self.peer.ends.0,
        }
    }

    /// Lets the stream end with a sentence; the first one counts.
    pub fn end(&self, sentence: &str) {
        lock(&self.ending).get_or_insert_with(|| sentence.to_owned());
        self.end.notify_one();
    }

    /// Waits until the stream is to end.
    pub async fn ended(&self) -> String {
        loop {
            if let Some(sentence) = lock(&self.ending).clone() {
                return sentence;
            }
            self.end.notified().await;
        }
    }
}

/// What a thread that panicked left is as good as before: every change of it is one assignment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
