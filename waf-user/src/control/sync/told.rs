//! Which bans one node has been told, and which it is to be told next. A node keeps bans of tenants that it serves; those
//! of a tenant that is new to it are told once it serves it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::target::Target;
use crate::control::bans::BanBook;
use crate::model::sync::{Bans, FleetScope};

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
    parts: VecDeque<Bans>,
}

impl Told {
    /// `seen` as the node says; what it has seen of another document's tenants does not count.
    pub fn new(seen: u64, served: Option<Arc<Target>>) -> Self {
        let seen = if served.is_some() { seen } else { 0 };
        let tenants = served.as_deref().map(tenants_of).unwrap_or_default();
        Self { seen, served, tenants, asked: None, parts: VecDeque::new() }
    }

    /// What to send next, which counts as sent.
    pub fn due(
        &mut self,
        book: &BanBook,
        revision: u64,
        served: Option<Arc<Target>>,
        target: &Target,
    ) -> Option<Bans> {
        if self.parts.is_empty() {
            let is_other = !is_one(self.served.as_ref(), served.as_ref());
            if is_other {
                self.serve(book, served);
            }
            if is_other || self.asked != Some(revision) {
                self.asked = Some(revision);
                self.ask(book, target);
            }
        }
        self.parts.pop_front()
    }

    fn ask(&mut self, book: &BanBook, target: &Target) {
        let parts = match &self.served {
            Some(_) => book.since(self.seen, &self.tenants),
            None => book.since(self.seen, &tenants_of(target)),
        };
        if let Some(last) = parts.last() {
            self.seen = last.revision;
        }
        self.parts.extend(parts);
    }

    /// From now on it serves this: bans of its new tenants, of before what it has seen.
    fn serve(&mut self, book: &BanBook, served: Option<Arc<Target>>) {
        let tenants = served.as_deref().map(tenants_of).unwrap_or_default();
        let new: BTreeSet<u32> = tenants.difference(&self.tenants).copied().collect();
        (self.served, self.tenants) = (served, tenants);
        if new.is_empty() || self.seen == 0 {
            return;
        }
        let is_new = |scope| matches!(scope, FleetScope::Tenant(tenant) if new.contains(&tenant));
        let parts = book.since(0, &new).into_iter().map(|mut part| {
            part.put.retain(|ban| is_new(ban.scope));
            Bans { is_whole: false, revision: self.seen, ..part }
        });
        // The last of them always: the node has heard nothing of its new tenants until then.
        self.parts.extend(parts.filter(|part| part.is_last || !part.put.is_empty()));
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
