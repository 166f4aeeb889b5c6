//! Whoever connects takes one of so many places, of which one address, or one node, has only a few: nobody shuts out the
//! others by connecting. Knows no sockets.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Mono;

const TOLD_EVERY_NS: u64 = 1_000_000_000;

/// Places of one kind. Clones share them.
#[derive(Clone, Debug)]
pub struct Places<Who: Hash + Eq> {
    taken: Arc<Mutex<Taken<Who>>>,
    all_max: usize,
    own_max: usize,
}

#[derive(Debug)]
struct Taken<Who> {
    all: usize,
    of: HashMap<Who, usize>,
}

/// One of them; given back when it goes.
#[derive(Debug)]
pub struct Place<Who: Hash + Eq> {
    places: Places<Who>,
    who: Who,
}

impl<Who: Hash + Eq + Clone> Places<Who> {
    /// So many in all, and so many for each.
    pub fn new(all_max: usize, own_max: usize) -> Self {
        Self { taken: Arc::new(Mutex::new(Taken { all: 0, of: HashMap::new() })), all_max, own_max }
    }

    /// None where there are too many.
    pub fn take(&self, who: Who) -> Option<Place<Who>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.of.get(&who).copied().unwrap_or(0);
        if own >= self.own_max || taken.all >= self.all_max {
            return None;
        }
        taken.all += 1;
        taken.of.insert(who.clone(), own + 1);
        Some(Place { places: self.clone(), who })
    }
}

impl<Who: Hash + Eq> Drop for Place<Who> {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(own) = taken.of.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.of.remove(&self.who);
            }
        }
    }
}

/// Connections for which there was no place, told of once a second: whoever connects does not write the log.
#[derive(Debug, Default)]
pub struct Refusals {
    count: u64,
    told: Option<Mono>,
}

impl Refusals {
    /// One more; how many since the last time, where they are to be told of now.
    pub fn count(&mut self, now: Mono) -> Option<u64> {
        self.count += 1;
        if self.told.is_some_and(|told| now.since_ns(told) < TOLD_EVERY_NS) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

/// What any one machine has for itself: an IPv4 address, or an IPv6 /64, by its first address.
pub fn network(of: IpAddr) -> IpAddr {
    match of.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_of_once_a_second() {
        let mut refusals = Refusals::default();
        let told: Vec<_> = [0, 1, 2, 999, 1000, 1001].map(|ms| refusals.count(Mono(ms * 1_000_000))).into();
        assert_eq!(told, [Some(1), None, None, None, Some(4), None]);
    }

    #[test]
    fn one_machine_takes_no_more_than_its_places() {
        let places = Places::new(5, 3);
        let take = |text: &str| places.take(network(text.parse().unwrap()));
        let held: Vec<_> = (1..=3).map(|at| take(&format!("2001:db8:0:7::{at}"))).collect();
        assert!(held.iter().all(Option::is_some) && take("2001:db8:0:7::9").is_none());
        let mapped = take("::ffff:192.0.2.1");
        let plain = take("192.0.2.1");
        assert!(mapped.is_some() && plain.is_some(), "another machine");
        assert!(take("192.0.2.2").is_none(), "all are taken");
        drop(plain);
        assert!(take("192.0.2.2").is_some());
        drop((held, mapped));
        let taken = places.taken.lock().unwrap();
        assert_eq!((taken.all, taken.of.len()), (0, 0), "all is given back");
    }
}
