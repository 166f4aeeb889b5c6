//! One stream with control, from greeting to its end: stages, activates, refuses. Sockets are [`super::call`]'s.

use std::rc::Rc;
use std::sync::Arc;

use super::super::error::chain;
use super::super::reload::{ReloadError, Reloader};
use super::super::shelf::{Membership, Shelf, Signed};
use super::super::standing::Standing;
use super::super::usage::Used;
use super::bans::Heard;
use crate::model::Mono;
use crate::model::sync::{Delta, Down, Greeting, Snapshot, Status, Up, VERSION};

/// What lives from one stream to the next.
pub struct Session {
    pub standing: Rc<Standing>,
    pub reloader: Rc<Reloader>,
    pub shelf: Arc<Shelf>,
    pub membership: Membership,
    pub bans_seen: u64,
    pub heard: Heard,
    /// Checked, perhaps without all of its certificates yet.
    pub staged: Option<Arc<Signed>>,
    pub used: Used,
}

impl Session {
    /// The first word of a stream; what an earlier one left half done is forgotten.
    pub fn hello(&mut self) -> Up {
        self.staged = None;
        self.heard = Heard::default();
        let served = self.standing.document.borrow().clone();
        Up::Hello(Greeting {
            version: VERSION,
            node: self.name(),
            generation: served.as_ref().map_or(0, |signed| signed.generation),
            hash: served.map_or_else(String::new, |signed| signed.hash()),
            bans_seen: self.bans_seen,
            software: concat!("waf ", env!("CARGO_PKG_VERSION")).to_owned(),
        })
    }

    /// Does what control says; gives the answer, if there is one.
    pub async fn hear(&mut self, down: Down) -> Option<Up> {
        match down {
            Down::Snapshot(Snapshot { generation, document, signature, hash: _ }) => {
                Some(self.stage(generation, document, signature))
            }
            Down::Delta(delta) => Some(self.apply(&delta)),
            Down::Certificate(certificate) => match self.shelf.put(&certificate) {
                Ok(()) => self.staged.clone().and_then(|signed| self.whole(&signed)),
                Err(error) => Some(self.refuse(self.staged.as_ref()?.generation, chain(&error))),
            },
            Down::Activate { generation } => Some(self.activate(generation).await),
            Down::Bans(bans) => {
                let mut enforcer = self.standing.enforcer.borrow_mut();
                self.bans_seen = self.heard.take(bans, &mut enforcer, Mono::now()).unwrap_or(self.bans_seen);
                None
            }
            // The end of the stream, not of anything served.
            Down::Refused { .. } => None,
        }
    }

    pub fn status(&mut self) -> Up {
        let facts = &self.standing.facts;
        let enforcer = self.standing.enforcer.borrow();
        let allowances = self.standing.lasting.allowances();
        let (interval_ms, usage) = self.used.take(enforcer.config(), allowances, Mono::now());
        Up::Status(Status {
            generation: self.served(),
            is_ready: !facts.waits.get(),
            bans: enforcer.bans().len() as u64,
            interval_ms,
            usage,
        })
    }

    fn name(&self) -> String {
        self.standing.settings.borrow().name.to_string()
    }

    fn served(&self) -> u64 {
        self.standing.document.borrow().as_ref().map_or(0, |signed| signed.generation)
    }

    fn refuse(&self, generation: u64, why: String) -> Up {
        tracing::error!(generation, why, "document of control refused, the one before is served");
        Up::Refused { generation, why }
    }

    fn apply(&mut self, delta: &Delta) -> Up {
        let from = self.standing.document.borrow().clone().filter(|signed| signed.hash() == delta.from);
        match from.and_then(|signed| delta.apply(&signed.document)) {
            Some((_, text)) => self.stage(delta.generation, text, delta.signature.clone()),
            None => Up::Again,
        }
    }

    fn stage(&mut self, generation: u64, text: String, signature: String) -> Up {
        if generation < self.served() {
            let why = format!("older than generation {}, which is served", self.served());
            return self.refuse(generation, why);
        }
        let parts = (generation, text, signature);
        match Signed::check(&self.membership.fleet_key, &self.name(), parts).map(Arc::new) {
            Ok(signed) => {
                self.staged = Some(Arc::clone(&signed));
                let missing = self.shelf.missing(&signed.document);
                if missing.is_empty() {
                    Up::Staged { generation }
                } else {
                    Up::Want { certificates: missing }
                }
            }
            Err(error) => self.refuse(generation, chain(&error)),
        }
    }

    fn whole(&self, signed: &Signed) -> Option<Up> {
        let generation = signed.generation;
        self.shelf.missing(&signed.document).is_empty().then_some(Up::Staged { generation })
    }

    async fn activate(&mut self, generation: u64) -> Up {
        let Some(signed) = self.staged.take_if(|signed| signed.generation == generation) else {
            return self.refuse(generation, "it was not staged".to_owned());
        };
        let before = self.standing.document.borrow().clone();
        let served = self.reloader.serve(Arc::clone(&signed)).await;
        // Without `interface` other listeners need a restart, which then finds the document.
        if matches!(served, Ok(_) | Err(ReloadError::Fixed(_)))
            && let Err(error) = self.shelf.keep(&signed)
        {
            tracing::error!(error = chain(&error), "a restart would serve the document before this one");
        }
        match served {
            Ok(_) => {
                let is_new = |tenant| before.as_ref().is_none_or(|it| it.document.tenant(tenant).is_none());
                if signed.document.tenants.iter().any(|it| is_new(it.tenant)) {
                    // Bans of a tenant that was not served were not kept: control tells them next.
                    self.bans_seen = 0;
                }
                self.shelf.sweep(&signed.document);
                Up::Active { generation }
            }
            Err(error) => self.refuse(generation, chain(&error)),
        }
    }
}
