//! What one node has, what it is staging and what it is owed. Messages and a moment in, what is due out: no socket, no
//! store, no clock.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::limits::AGAIN_AFTER;
use super::target::Target;
use crate::model::Mono;
use crate::model::sync::{Greeting, Up};

/// What is to be sent next.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// A document, as a change of `base` where the node serves that.
    Document {
        target: Arc<Target>,
        base: Option<Arc<Target>>,
    },
    /// Asked for, of the document sent.
    Certificate(String),
    Activate {
        generation: u64,
    },
}

/// What a message from the node means to others.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    /// Something may be due now.
    Due,
    /// Waves need not wait for it with this generation: it is staged, or refused.
    Settled {
        generation: u64,
    },
    /// It serves another generation than before, or has refused one.
    Moved,
}

/// A document that was sent and is not served yet.
#[derive(Debug)]
struct Sent {
    target: Arc<Target>,
    is_staged: bool,
}

/// One stream's state.
#[derive(Debug)]
pub struct Session {
    target: Arc<Target>,
    sent: Option<Sent>,
    /// What the node was told to serve, until it says that it does.
    activating: Option<Arc<Target>>,
    /// What the node serves, where it is known in full.
    served: Option<Arc<Target>>,
    /// What the node says that it serves.
    generation: u64,
    hash: String,
    wants: VecDeque<String>,
    refused: Option<Refusal>,
}

#[derive(Debug)]
struct Refusal {
    why: String,
    at: Mono,
}

impl Session {
    pub fn new(hello: &Greeting, target: Arc<Target>) -> Self {
        let served = (hello.hash == target.hash).then(|| Arc::clone(&target));
        Self {
            target,
            sent: None,
            activating: None,
            served,
            generation: hello.generation,
            hash: hello.hash.clone(),
            wants: VecDeque::new(),
            refused: None,
        }
    }

    pub const fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// What the node serves, where it is known in full.
    pub const fn served(&self) -> Option<&Arc<Target>> {
        self.served.as_ref()
    }

    /// Whether a tenant is this node's, now or with the document on its way.
    pub fn has_tenant(&self, tenant: u32) -> bool {
        let served = self.served.as_ref().is_some_and(|it| it.document.tenant(tenant).is_some());
        served || self.target.document.tenant(tenant).is_some()
    }

    /// Of the document served, as the node says.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What it has staged and does not serve yet.
    pub fn staged(&self) -> Option<u64> {
        self.sent.as_ref().filter(|sent| sent.is_staged).map(|sent| sent.target.generation)
    }

    /// Whether it serves what it is to serve.
    pub fn is_current(&self) -> bool {
        self.hash == self.target.hash
    }

    /// Whether it serves a later revision than we know of: we lag, or were restored from a backup. It would refuse
    /// everything that we could send.
    pub fn is_ahead(&self) -> bool {
        !self.is_current() && self.generation > self.target.generation
    }

    /// Why the node did not take what was sent last.
    pub fn refused(&self) -> Option<&str> {
        self.refused.as_ref().map(|refusal| refusal.why.as_str())
    }

    /// Another document from now on. Whether the node has to stage it.
    pub fn aim(&mut self, target: Arc<Target>) -> bool {
        if target.hash == self.target.hash {
            return false;
        }
        self.target = target;
        self.refused = None;
        !self.is_current() || self.sent.is_some()
    }

    /// What to send now, which counts as sent. `go`: up to which generation may be activated.
    pub fn due(&mut self, go: u64, now: Mono) -> Option<Due> {
        if let Some(due) = self.due_document(now) {
            return Some(due);
        }
        if let Some(fingerprint) = self.wants.pop_front() {
            return Some(Due::Certificate(fingerprint));
        }
        let sent = self.sent.as_ref().filter(|sent| sent.is_staged && sent.target.generation <= go)?;
        let generation = sent.target.generation;
        if self.activating.as_ref().is_some_and(|it| it.generation == generation) {
            return None;
        }
        self.activating = Some(Arc::clone(&sent.target));
        Some(Due::Activate { generation })
    }

    fn due_document(&mut self, now: Mono) -> Option<Due> {
        let is_again = self.refused.as_ref().is_some_and(|it| now.since_ns(it.at) >= nanos(AGAIN_AFTER));
        let is_under_way = match &self.sent {
            Some(sent) => sent.target.hash == self.target.hash && !is_again,
            None => self.is_current() || (self.refused.is_some() && !is_again),
        };
        if is_under_way || self.is_ahead() {
            return None;
        }
        // One that is being activated is served by the time the node hears of the next; if not, it says so.
        let base = self.activating.as_ref().or(self.served.as_ref()).cloned();
        let target = Arc::clone(&self.target);
        self.refused = None;
        self.wants.clear();
        self.sent = Some(Sent { target: Arc::clone(&target), is_staged: false });
        Some(Due::Document { target, base })
    }

    /// What the node says of documents.
    ///
    /// # Errors
    /// The sentence with which its stream ends: it asks for what is not its own.
    pub fn hear(&mut self, up: Up, now: Mono) -> Result<Heard, String> {
        match up {
            Up::Want { certificates } => self.want(certificates),
            Up::Again => {
                (self.served, self.activating, self.sent) = (None, None, None);
                Ok(Heard::Due)
            }
            Up::Staged { generation } => match &mut self.sent {
                Some(sent) if sent.target.generation == generation => {
                    sent.is_staged = true;
                    Ok(Heard::Settled { generation })
                }
                _ => Ok(Heard::Nothing),
            },
            Up::Active { generation } => Ok(self.active(generation)),
            Up::Refused { generation, why } => Ok(self.refuse(generation, why, now)),
            Up::Hello(_) => Err("a stream has one hello".to_owned()),
            Up::Ban(_) | Up::Lift(_) | Up::Status(_) => Ok(Heard::Nothing),
        }
    }

    /// A certificate that the node needs cannot be had.
    pub fn lacks(&mut self, why: String, now: Mono) {
        self.wants.clear();
        if let Some(generation) = self.sent.as_ref().map(|sent| sent.target.generation) {
            self.refuse(generation, why, now);
        }
    }

    fn want(&mut self, certificates: Vec<String>) -> Result<Heard, String> {
        let own: HashSet<&str> =
            self.sent.iter().flat_map(|sent| sent.target.document.certificates()).collect();
        let mut waiting: HashSet<String> = self.wants.iter().cloned().collect();
        for fingerprint in certificates {
            if !own.contains(fingerprint.as_str()) {
                return Err(
                    "this node asks for a certificate that is not of the document sent to it".to_owned()
                );
            }
            // As many as the document names, however often they are asked for.
            if waiting.insert(fingerprint.clone()) {
                self.wants.push_back(fingerprint);
            }
        }
        Ok(Heard::Due)
    }

    fn active(&mut self, generation: u64) -> Heard {
        let Some(target) = self.activating.take_if(|it| it.generation == generation) else {
            return Heard::Nothing;
        };
        self.sent.take_if(|sent| sent.target.generation == generation);
        self.generation = generation;
        self.hash.clone_from(&target.hash);
        self.served = Some(target);
        Heard::Moved
    }

    fn refuse(&mut self, generation: u64, why: String, at: Mono) -> Heard {
        self.activating.take_if(|it| it.generation == generation);
        match self.sent.take_if(|sent| sent.target.generation == generation) {
            Some(_) => {
                self.refused = Some(Refusal { why, at });
                self.wants.clear();
                Heard::Settled { generation }
            }
            None => Heard::Nothing,
        }
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
