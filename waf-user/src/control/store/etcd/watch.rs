//! A watch of etcd, which finds another member where one goes. etcd tells a revision's events together.

use std::collections::VecDeque;

use etcd_client::{Event, EventType, WatchClient, WatchOptions, WatchResponse, WatchStream};

use crate::control::store::{Answer, Change, Changes, Prefix, Revision, StoreError, Watch};

use super::failure::{Failure, Retry};
use super::words::Words;

const DOING: &str = "watch";

pub struct EtcdWatch {
    client: WatchClient,
    words: Words,
    endpoints: String,
    prefix: Prefix,
    /// The first revision that has not been given out.
    from: Revision,
    stream: Option<WatchStream>,
    ready: VecDeque<Changes>,
}

impl EtcdWatch {
    pub fn new(client: WatchClient, words: Words, endpoints: String, prefix: Prefix, from: Revision) -> Self {
        Self { client, words, endpoints, prefix, from, stream: None, ready: VecDeque::new() }
    }

    async fn next_changes(&mut self) -> Result<Changes, StoreError> {
        // Counted from the first failure: a watch may have been silent for days.
        let mut retry = None;
        loop {
            if let Some(changes) = self.ready.pop_front() {
                self.from = changes.revision.next();
                return Ok(changes);
            }
            let failure = match self.message().await {
                Ok(Some(response)) => {
                    self.take(&response)?;
                    retry = None;
                    continue;
                }
                // A member that goes ends its streams.
                Ok(None) => Failure::of_read(etcd_client::Error::WatchError("the stream ended".to_owned())),
                Err(error) => Failure::of_read(error),
            };
            self.stream = None;
            let endpoints = self.endpoints.clone();
            let retry = retry.get_or_insert_with(Retry::new);
            retry.wait(failure).await.map_err(|failure| StoreError::Unavailable {
                doing: DOING,
                endpoints,
                source: failure.into_source(),
            })?;
        }
    }

    async fn message(&mut self) -> Result<Option<WatchResponse>, etcd_client::Error> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                // From one revision before: then etcd says that it is compacted also where only the first one is missing,
                // of which it may have forgotten the deletions without a word.
                let before = self.from.signed().saturating_sub(1).max(1);
                let end = self.words.name(&self.prefix.end());
                let options = WatchOptions::new().with_range(end).with_start_revision(before);
                none.insert(self.client.watch(self.words.name(self.prefix.as_str()), Some(options)).await?)
            }
        };
        stream.message().await
    }

    fn take(&mut self, response: &WatchResponse) -> Result<(), StoreError> {
        if response.compact_revision() > 0 {
            let compacted = Revision::from_signed(response.compact_revision());
            return Err(StoreError::Compacted { asked: self.from, compacted });
        }
        if response.canceled() {
            self.stream = None;
            return Err(StoreError::Unavailable {
                doing: DOING,
                endpoints: self.endpoints.clone(),
                source: response.cancel_reason().to_owned().into(),
            });
        }
        for event in response.events() {
            let Some((revision, change)) = self.change(event)? else { continue };
            match self.ready.back_mut() {
                Some(last) if last.revision == revision => last.changes.push(change),
                _ => self.ready.push_back(Changes { revision, changes: vec![change] }),
            }
        }
        for changes in &mut self.ready {
            changes.changes.sort_by(|one, other| one.key().cmp(other.key()));
        }
        Ok(())
    }

    /// None of what lies before the revision that was asked for.
    fn change(&self, event: &Event) -> Result<Option<(Revision, Change)>, StoreError> {
        let Some(kv) = event.kv() else { return Ok(None) };
        let revision = Revision::from_signed(kv.mod_revision());
        if revision < self.from {
            return Ok(None);
        }
        let change = match event.event_type() {
            EventType::Put => Change::Put(self.words.entry(kv)?),
            EventType::Delete => Change::Deleted(self.words.key(kv.key())?),
        };
        Ok(Some((revision, change)))
    }
}

impl Watch for EtcdWatch {
    fn next(&mut self) -> Answer<'_, Changes> {
        Box::pin(self.next_changes())
    }
}
