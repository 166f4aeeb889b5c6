//! Who is refused, in the whole fleet or at one site: made by people, lists and the rules of nodes, kept in the store, and
//! told to nodes. The store's revision orders all of it, so every control process and every node comes to the same bans.
//! Knows no node's connection, nobody's rights, and not which tenants a node serves.
//!
//! ```text
//! put, lift ──────────────────────> transactions ──> ban/<scope>/<prefix> ──follow──> known ──> list
//! put_of_node ──wait for the one──>                                                     └──> telling(seen, tenants): Bans, part by part
//!               that is under way                        sweep: what has run out
//! ```

pub mod limits;

mod entry;
mod known;
mod telling;

mod page;
mod room;
mod told;
mod write;

mod nodes;

mod follow;

mod error;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ipnet::IpNet;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

pub use error::BanError;
pub use page::{ListedBan, Page};
pub use telling::Telling;

use super::audit::record::Actor;
use super::store::{Follower, Revision, Store};
use crate::model::ban::is_too_wide;
use crate::model::sync::{BanKey, BanRecord, BanSource, Bans, Lifted};
use crate::model::{Fqdn, NodeName, TenantId, Wall};
use entry::{Terms, root};
use known::Known;
use limits::HEARD_WITHIN;
use nodes::Waiting;
use told::By;
use write::{Wish, Wishes};

/// Where a ban holds, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    Fleet,
    /// A site, and the environments that serve it now.
    Site(Fqdn, Vec<TenantId>),
}

/// A ban to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Making {
    pub prefix: IpNet,
    /// None: until it is lifted.
    pub expires: Option<Wall>,
    pub reason: String,
    /// From a list rather than from a person: it makes no ban shorter.
    pub imported: bool,
}

/// What time it is, for people and for expiry.
pub type Clock = Arc<dyn Fn() -> Wall + Send + Sync>;

/// The bans of the fleet. Several processes may have them open on one store.
pub struct BanBook {
    store: Arc<dyn Store>,
    clock: Clock,
    known: RwLock<Known>,
    /// Tells the revision of what is known.
    changed: watch::Sender<u64>,
    /// People's changes come one after the other, so that what they are counted against is what the last one left.
    writing: tokio::sync::Mutex<()>,
    waiting: Mutex<Waiting>,
    told: Arc<Notify>,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl BanBook {
    /// Opens what the store holds, and follows it.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(store: Arc<dyn Store>) -> Result<Arc<Self>, BanError> {
        Self::open_at(store, Arc::new(Wall::now)).await
    }

    /// As [`BanBook::open`], with a clock to go by.
    ///
    /// # Errors
    /// As there.
    pub async fn open_at(store: Arc<dyn Store>, clock: Clock) -> Result<Arc<Self>, BanError> {
        let mut follower = Follower::new(Arc::clone(&store), root()?);
        let first = follower.next().await?;
        let told = Arc::new(Notify::new());
        let book = Arc::new(Self {
            store,
            clock,
            known: RwLock::default(),
            changed: watch::channel(0).0,
            writing: tokio::sync::Mutex::default(),
            waiting: Mutex::default(),
            told: Arc::clone(&told),
            tasks: Mutex::default(),
        });
        book.hear(first);
        let weak = Arc::downgrade(&book);
        let follow = tokio::spawn(follow::follow(weak.clone(), follower));
        let write = tokio::spawn(nodes::write(weak.clone(), told));
        let sweep = tokio::spawn(follow::sweep(weak));
        let tasks = [follow, write, sweep].map(|task| task.abort_handle());
        book.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
        Ok(book)
    }

    /// Those that hold at one of these places, at most `limit`, behind `after`.
    ///
    /// # Errors
    /// `after` is none of ours.
    pub fn list(&self, places: &[Where], after: Option<&str>, limit: usize) -> Result<Page, BanError> {
        self.known().page(places, after, limit, self.now())
    }

    /// Makes them all; how many are new or otherwise than they were. A person's word counts as it is, a list makes no ban
    /// shorter. Bounds are looked at first: beyond them nothing is made.
    ///
    /// # Errors
    /// Too wide or too many; the store's, after which some may have been made: the same once more does no harm.
    pub async fn put(
        &self,
        place: &Where,
        bans: Vec<Making>,
        actor: &Actor,
        now: Wall,
    ) -> Result<u64, BanError> {
        if let Some(wide) = bans.iter().find(|ban| is_too_wide(ban.prefix)) {
            return Err(BanError::TooWide(wide.prefix));
        }
        let mut wishes = Wishes::new();
        for scope in place.scopes() {
            for Making { prefix, expires, reason, imported } in &bans {
                let source = if *imported { BanSource::Import } else { BanSource::Operator };
                let terms = Terms { expires: *expires, source, reason: reason.clone() };
                let wish = if *imported { Wish::Lengthen(terms) } else { Wish::Set(terms) };
                wishes.insert(BanKey { scope, prefix: prefix.trunc() }, wish);
            }
        }
        let _writing = self.writing.lock().await;
        room::for_people(&self.known(), &wishes)?;
        self.write_and_hear(wishes, &By { actor, place }, now).await
    }

    /// Lifts them all, whoever made them; how many there were.
    ///
    /// # Errors
    /// The store's, after which some may have been lifted.
    pub async fn lift(
        &self,
        place: &Where,
        prefixes: Vec<IpNet>,
        actor: &Actor,
        now: Wall,
    ) -> Result<u64, BanError> {
        let keys = place
            .scopes()
            .into_iter()
            .flat_map(|scope| prefixes.iter().map(move |prefix| BanKey { scope, prefix: prefix.trunc() }));
        let wishes = keys.map(|key| (key, Wish::Lift)).collect();
        let _writing = self.writing.lock().await;
        self.write_and_hear(wishes, &By { actor, place }, now).await
    }

    /// A ban that the rules of a node made: written soon, together with others that come meanwhile. One that lasts as long
    /// stays as it is.
    ///
    /// # Errors
    /// Too wide, or too many of this node wait already; it holds there all the same.
    pub fn put_of_node(&self, node: &NodeName, ban: BanRecord, now: Wall) -> Result<(), BanError> {
        let key = BanKey { scope: ban.scope, prefix: ban.prefix.trunc() };
        if is_too_wide(key.prefix) {
            return Err(BanError::TooWide(key.prefix));
        }
        let expires = ban.left_ms.map(|left| Wall(now.0.saturating_add(left)));
        // What rules of that node did stands in its events; a reason of its own would be anybody's text.
        let terms = Terms { expires, source: BanSource::Rules, reason: String::new() };
        self.wait(node, key, Wish::Lengthen(terms))
    }

    /// An operator of a node lifted a ban there: it is lifted everywhere, in the order in which the node told.
    ///
    /// # Errors
    /// Too many of this node wait already.
    pub fn lift_of_node(&self, node: &NodeName, lifted: Lifted) -> Result<(), BanError> {
        self.wait(node, BanKey { scope: lifted.scope, prefix: lifted.prefix.trunc() }, Wish::Lift)
    }

    /// Tells the revision of the last change: whoever sends bans to nodes then asks [`BanBook::telling`].
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What a node that has heard all up to revision `seen` is to hear, of the fleet and of these tenants: what changed
    /// since, which is nothing where that is the last revision; with `seen` 0, where the recent history does not reach
    /// back, or where the store is older than what was seen, all there is. To be asked for with [`BanBook::next`].
    pub fn telling(&self, seen: u64, tenants: &BTreeSet<u32>) -> Telling {
        Telling::since(&self.known(), seen, tenants)
    }

    /// What a node is to hear that serves these tenants from now on, and has heard of all its others up to `seen`.
    pub fn telling_of(&self, tenants: &BTreeSet<u32>, seen: u64) -> Telling {
        Telling::of_tenants(seen, tenants)
    }

    /// The next message, which counts as sent; none after the last.
    pub fn next(&self, telling: &mut Telling) -> Option<Bans> {
        telling.next(&self.known(), self.now())
    }

    /// All messages of a telling, in the order in which they are to be sent.
    pub fn since(&self, seen: u64, tenants: &BTreeSet<u32>) -> Vec<Bans> {
        let mut telling = self.telling(seen, tenants);
        std::iter::from_fn(|| self.next(&mut telling)).collect()
    }

    fn wait(&self, node: &NodeName, key: BanKey, wish: Wish) -> Result<(), BanError> {
        self.waiting().push(node, key, wish)?;
        self.told.notify_one();
        Ok(())
    }

    /// Writes, and waits until this process has heard of it, so that whoever asks next is told so.
    async fn write_and_hear(&self, wishes: Wishes, by: &By<'_>, now: Wall) -> Result<u64, BanError> {
        let written = self.write(wishes, Some(by), now).await?;
        let Revision(revision) = written.revision;
        let mut changed = self.changed();
        let heard = changed.wait_for(|heard| *heard >= revision);
        if tokio::time::timeout(HEARD_WITHIN, heard).await.is_err() {
            tracing::warn!(revision, "bans are written, and not heard of yet");
        }
        Ok(written.changed.len() as u64)
    }

    fn now(&self) -> Wall {
        (self.clock)()
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for BanBook {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|task| task.abort());
    }
}

#[cfg(test)]
mod tests;
