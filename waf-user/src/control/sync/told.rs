//! Which bans one node has been told, and which it is to be told next. A node keeps bans of tenants that it serves; those
//! of a tenant that is new to it are told once it serves it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::target::Target;
use crate::control::bans::{BanBook, Telling};
use crate::model::sync::Bans;

/// What a node has heard on this stream.
#[derive(Debug)]
pub struct Told {
    /// [`Bans::revision`] up to which it was told everything; 0 = nothing.
    seen: u64,
    /// The document that it serves, where that is known, and whose tenants' bans it was told.
    served: Option<Arc<Target>>,
    tenants: BTreeSet<u32>,
    /// The book's revision when it was asked last.
    asked: Option<u64>,
    tellings: VecDeque<Telling>,
}

impl Told {
    /// `seen` as the node says; what it has seen of another document's tenants does not count.
    pub fn new(seen: u64, served: Option<Arc<Target>>) -> Self {
        let seen = if served.is_some() { seen } else { 0 };
        let tenants = served.as_deref().map(tenants_of).unwrap_or_default();
        Self { seen, served, tenants, asked: None, tellings: VecDeque::new() }
    }

    /// What to send next, which counts as sent.
    pub fn due(
        &mut self,
        book: &BanBook,
        revision: u64,
        served: Option<Arc<Target>>,
        target: &Target,
    ) -> Option<Bans> {
        if let Some(bans) = self.next(book) {
            return Some(bans);
        }
        let is_other = !is_one(self.served.as_ref(), served.as_ref());
        if is_other {
            self.serve(book, served);
        }
        if is_other || self.asked != Some(revision) {
            self.asked = Some(revision);
            self.ask(book, target);
        }
        self.next(book)
    }

    fn next(&mut self, book: &BanBook) -> Option<Bans> {
        while let Some(telling) = self.tellings.front_mut() {
            if let Some(bans) = book.next(telling) {
                return Some(bans);
            }
            self.tellings.pop_front();
        }
        None
    }

    fn ask(&mut self, book: &BanBook, target: &Target) {
        let telling = match &self.served {
            Some(_) => book.telling(self.seen, &self.tenants),
            None => book.telling(self.seen, &tenants_of(target)),
        };
        self.seen = telling.revision();
        self.tellings.push_back(telling);
    }

    /// From now on it serves this: bans of its new tenants, of before what it has seen.
    fn serve(&mut self, book: &BanBook, served: Option<Arc<Target>>) {
        let tenants = served.as_deref().map(tenants_of).unwrap_or_default();
        let new: BTreeSet<u32> = tenants.difference(&self.tenants).copied().collect();
        (self.served, self.tenants) = (served, tenants);
        if new.is_empty() || self.seen == 0 {
            return;
        }
        self.tellings.push_back(book.telling_of(&new, self.seen));
    }
}

fn tenants_of(target: &Target) -> BTreeSet<u32> {
    target.document.tenants.iter().map(|it| it.tenant).collect()
}

fn is_one(one: Option<&Arc<Target>>, other: Option<&Arc<Target>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}
