//! What control says is to be served: checked, its certificates gathered, served when control says so, kept for the next
//! start; or refused, and what was served is served on. Sockets are [`super::call`]'s.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use tokio::task::{JoinError, JoinHandle, spawn_blocking, spawn_local};

use super::super::reload::{ReloadError, Reloader};
use super::super::shelf::{Shelf, ShelfError, Signed};
use super::super::standing::Standing;
use crate::model::chain;
use crate::model::sync::{Certificate, Delta, Down, Snapshot, Up};

/// From one stream to the next.
pub struct Documents {
    standing: Rc<Standing>,
    reloader: Rc<Reloader>,
    shelf: Arc<Shelf>,
    fleet_key: String,
    staged: Option<Staged>,
    /// A stream may break while a document is put in place; the next one waits for it.
    under_way: Option<JoinHandle<Up>>,
}

/// A document that control signed, perhaps without all of its certificates yet.
struct Staged {
    signed: Arc<Signed>,
    missing: BTreeSet<String>,
}

impl Documents {
    pub(in crate::node) fn new(standing: Rc<Standing>, reloader: Rc<Reloader>, shelf: Arc<Shelf>) -> Self {
        let (fleet_key, staged, under_way) = Default::default();
        Self { standing, reloader, shelf, fleet_key, staged, under_way }
    }

    /// Before a new stream: what an earlier one left half done is finished or forgotten.
    pub async fn begin(&mut self, fleet_key: &str) {
        if let Some(task) = self.under_way.take() {
            // It has told the log what came of it.
            let _ = task.await;
        }
        self.staged = None;
        fleet_key.clone_into(&mut self.fleet_key);
    }

    /// Does what control says; gives the answer, if there is one.
    pub async fn hear(&mut self, down: Down) -> Option<Up> {
        match down {
            Down::Snapshot(Snapshot { generation, document, signature, hash: _ }) => {
                Some(self.stage(generation, document, signature).await)
            }
            Down::Delta(delta) => Some(self.apply(delta).await),
            Down::Certificate(certificate) => self.put(certificate).await,
            Down::Activate { generation } => Some(self.activate(generation).await),
            // Of no document.
            Down::Bans(_) | Down::Refused { .. } => None,
        }
    }

    async fn apply(&mut self, delta: Delta) -> Up {
        let from = self.standing.document.borrow().clone().filter(|signed| signed.hash() == delta.from);
        let Some(from) = from else { return Up::Again };
        let (generation, signature) = (delta.generation, delta.signature.clone());
        let applied = spawn_blocking(move || delta.apply(&from.document));
        match applied.await {
            Ok(Some((_, text))) => self.stage(generation, text, signature).await,
            _ => Up::Again,
        }
    }

    async fn stage(&mut self, generation: u64, text: String, signature: String) -> Up {
        self.staged = None;
        self.standing.metrics.document_heard(generation);
        let served = served(&self.standing);
        if generation < served {
            let why = format!(
                "it is older than generation {served}, which is served (was control's store restored from a backup? \
                 then change anything {} times, or let the node join anew)",
                served - generation
            );
            return refuse(&self.standing, generation, why);
        }
        let (shelf, key) = (Arc::clone(&self.shelf), self.fleet_key.clone());
        let node = self.standing.settings.borrow().name.to_string();
        let checked = spawn_blocking(move || {
            let signed = Signed::check(&key, &node, (generation, text, signature))?;
            let missing = shelf.missing(&signed.document);
            Ok::<_, ShelfError>((signed, missing))
        });
        match finished(checked.await) {
            Ok((signed, missing)) => {
                let missing = BTreeSet::from_iter(missing);
                let up = match missing.is_empty() {
                    true => Up::Staged { generation },
                    false => Up::Want { certificates: missing.iter().cloned().collect() },
                };
                self.staged = Some(Staged { signed: Arc::new(signed), missing });
                up
            }
            Err(why) => refuse(&self.standing, generation, why),
        }
    }

    /// Only what was asked for is taken.
    async fn put(&mut self, certificate: Certificate) -> Option<Up> {
        let staged = self.staged.as_mut()?;
        if !staged.missing.contains(&certificate.fingerprint) {
            return None;
        }
        let (generation, fingerprint) = (staged.signed.generation, certificate.fingerprint.clone());
        let shelf = Arc::clone(&self.shelf);
        match finished(spawn_blocking(move || shelf.put(&certificate)).await) {
            Ok(()) => {
                staged.missing.remove(&fingerprint);
                staged.missing.is_empty().then_some(Up::Staged { generation })
            }
            Err(why) => {
                self.staged = None;
                Some(refuse(&self.standing, generation, why))
            }
        }
    }

    async fn activate(&mut self, generation: u64) -> Up {
        let is_whole = |it: &mut Staged| it.signed.generation == generation && it.missing.is_empty();
        let Some(Staged { signed, .. }) = self.staged.take_if(is_whole) else {
            return refuse(
                &self.standing,
                generation,
                "it was not staged, or not all of its certificates came".to_owned(),
            );
        };
        let (standing, reloader) = (Rc::clone(&self.standing), Rc::clone(&self.reloader));
        let shelf = Arc::clone(&self.shelf);
        let task = self.under_way.insert(spawn_local(activate(standing, reloader, shelf, signed)));
        let done = task.await;
        self.under_way = None;
        done.unwrap_or_else(|error| refuse(&self.standing, generation, chain(&error)))
    }
}

/// Of the document served; 0 where there is none.
pub(in crate::node) fn served(standing: &Standing) -> u64 {
    standing.document.borrow().as_ref().map_or(0, |signed| signed.generation)
}

async fn activate(
    standing: Rc<Standing>,
    reloader: Rc<Reloader>,
    shelf: Arc<Shelf>,
    signed: Arc<Signed>,
) -> Up {
    let generation = signed.generation;
    let result = reloader.serve(Arc::clone(&signed)).await;
    if let Err(error) = &result
        && !matches!(error, ReloadError::Fixed(_))
    {
        return refuse(&standing, generation, chain(error));
    }
    // Without `interface` other listeners need a restart, which then finds the document.
    let is_served = result.is_ok();
    let kept = spawn_blocking(move || {
        shelf.keep(&signed)?;
        if is_served {
            shelf.sweep(&signed.document);
        }
        Ok::<_, ShelfError>(())
    });
    let kept = finished(kept.await);
    if let Err(error) = &kept {
        tracing::error!(
            generation,
            error,
            "document of control not kept: a restart would serve the one before"
        );
    }
    match (result, kept) {
        (Ok(_), _) => {
            standing.served(generation, None);
            Up::Active { generation }
        }
        (Err(error), Ok(())) => {
            let cure =
                "this node has no `interface`; the document is kept, and a restart of the node serves it";
            refuse(&standing, generation, format!("{cure}: {}", chain(&error)))
        }
        (Err(error), Err(_)) => refuse(&standing, generation, chain(&error)),
    }
}

fn refuse(standing: &Standing, generation: u64, why: String) -> Up {
    standing.served(generation, Some(&why));
    tracing::error!(generation, why, "document of control refused, the one before is served");
    Up::Refused { generation, why }
}

/// The outcome of work on another thread, or why there is none.
fn finished<T>(done: Result<Result<T, ShelfError>, JoinError>) -> Result<T, String> {
    match done {
        Ok(done) => done.map_err(|error| chain(&error)),
        Err(error) => Err(chain(&error)),
    }
}
