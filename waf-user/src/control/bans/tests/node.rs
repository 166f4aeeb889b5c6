//! What a node makes of what it is told, as the node's own code does: the whole list in place of all, the rest on top.

use std::collections::BTreeMap;

use super::*;

#[derive(Default)]
pub struct Node {
    pub seen: u64,
    pub tenants: BTreeSet<u32>,
    bans: BTreeMap<(FleetScope, IpNet), u64>,
    whole: Option<BTreeSet<(FleetScope, IpNet)>>,
    is_under_way: bool,
    /// What is being told on the stream that is open, and by which process.
    telling: Option<(usize, Telling)>,
}

impl Node {
    pub fn new(tenants: impl IntoIterator<Item = u32>) -> Self {
        Self { tenants: tenants.into_iter().collect(), ..Self::default() }
    }

    /// A new stream: what was being told is not. Half of it may be of another moment than what was heard before.
    fn begin(&mut self) {
        if self.is_under_way {
            self.seen = 0;
        }
        (self.whole, self.is_under_way, self.telling) = (None, false, None);
    }

    /// Hears one message of two bans at most from the process of that number, others having time in between.
    pub fn hear_some(&mut self, at: usize, book: &BanBook) {
        if self.telling.as_ref().is_some_and(|(of, _)| *of != at) {
            self.begin();
        }
        let (seen, tenants) = (self.seen, &self.tenants);
        let (_, telling) = self.telling.get_or_insert_with(|| {
            let mut telling = book.telling(seen, tenants);
            telling.part_len = 2;
            (at, telling)
        });
        match book.next(telling) {
            Some(part) => self.take(part, book.now()),
            None => self.telling = None,
        }
    }

    /// Asks, and hears all of the answer. How many messages that were.
    pub fn hear(&mut self, book: &BanBook) -> usize {
        self.begin();
        let parts = book.since(self.seen, &self.tenants);
        let count = parts.len();
        parts.into_iter().for_each(|part| self.take(part, book.now()));
        count
    }

    pub fn take(&mut self, bans: Bans, now: Wall) {
        let keys = bans.put.iter().map(|ban| (ban.scope, ban.prefix));
        if bans.is_whole {
            self.whole.get_or_insert_default().extend(keys);
        }
        for ban in bans.put {
            let end = ban.left_ms.map_or(u64::MAX, |left| now.0 + left);
            self.bans.insert((ban.scope, ban.prefix), end);
        }
        for lifted in bans.lifted {
            self.bans.remove(&(lifted.scope, lifted.prefix));
        }
        self.is_under_way = !bans.is_last;
        if bans.is_last {
            if let Some(whole) = self.whole.take() {
                self.bans.retain(|key, _| whole.contains(key));
            }
            self.seen = bans.revision;
        }
    }

    pub fn holds(&self, now: Wall) -> BTreeMap<(FleetScope, IpNet), u64> {
        self.bans.iter().filter(|(_, end)| **end > now.0).map(|(key, end)| (*key, *end)).collect()
    }

    /// What it should hold.
    pub fn due(&self, book: &BanBook) -> BTreeMap<(FleetScope, IpNet), u64> {
        let mut all = all(book);
        all.retain(|(scope, _), _| match scope {
            FleetScope::Fleet => true,
            FleetScope::Tenant(tenant) => self.tenants.contains(tenant),
        });
        all
    }
}
