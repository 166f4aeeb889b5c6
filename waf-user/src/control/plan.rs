//! (wishes, inventory, state, time) -> a [`Plan`] that holds every decision; applying it holds none. Pure and
//! deterministic: the order of wishes and of nodes makes no difference, and nothing is read from outside.

mod draft;
mod evacuate;
mod notice;
mod place;
mod show;
mod steps;

pub use evacuate::evacuate;
pub use notice::{Cause, Language, Notice, Outcome};

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::capacity::{Measure, Rates};
use super::change::{Change, Place, Reason};
use super::environment::{Customer, Environment, Revision, Site, State};
use super::inventory::Inventory;
use super::sheet::{Residency, Sheet};
use crate::model::{Carrier, Fqdn, TenantId, Wall};

use draft::Draft;

/// What somebody wants done. One for each site in one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Serve a site by this sheet, whether it is new or not.
    Serve { customer: Customer, sheet: Arc<Sheet> },
    /// Give the site another environment, though it could stay.
    Move { fqdn: Fqdn },
    /// Serve again from the environment of before the last Move.
    RollBack { fqdn: Fqdn },
    /// Close the environment of before the last Move.
    Close { fqdn: Fqdn },
    /// Serve the site no longer.
    Remove { fqdn: Fqdn },
}

impl Wish {
    pub fn fqdn(&self) -> &Fqdn {
        match self {
            Self::Serve { sheet, .. } => &sheet.fqdn,
            Self::Move { fqdn } | Self::RollBack { fqdn } | Self::Close { fqdn } | Self::Remove { fqdn } => {
                fqdn
            }
        }
    }
}

/// What holds for all plans of one control plane, for ever.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The vendor's zone; environments get names in it.
    pub zone: Fqdn,
    /// Mixed into the names, so that they do not count our customers aloud. Drawn once, at random.
    pub salt: u64,
}

/// What is to become of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Open,
    Change(Change),
    RollBack,
    Close,
    Remove,
}

/// One decision with its reasons.
#[derive(Clone, Debug)]
pub struct Decision {
    pub fqdn: Fqdn,
    pub action: Action,
    pub reasons: Vec<Reason>,
    /// What serves the site today, if anything.
    pub before: Option<Arc<Environment>>,
    /// What will serve it, if anything.
    pub after: Option<Arc<Environment>>,
}

/// Why a wish cannot be met. Nothing of it is in the plan's steps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} is in this plan more than once: plan one after the other")]
    Twice(Fqdn),
    #[error("{0} is not served here")]
    Unknown(Fqdn),
    #[error("{0} is another customer's")]
    Foreign(Fqdn),
    #[error("{0} has still its old environment from the last move: close it or roll back first")]
    MoveUnderWay(Fqdn),
    #[error("{0} has no old environment")]
    NoOld(Fqdn),
    #[error("{fqdn} cannot go back: {place} serves no more")]
    OldIsGone { fqdn: Fqdn, place: Place },
    #[error("{fqdn}: no room at two carriers in {residency}{}", NoRoomList(.best))]
    NoRoom { fqdn: Fqdn, residency: Residency, best: Vec<NoRoom> },
    #[error("all {0} numbers of environments are given away")]
    Numbers(u32),
}

/// How near the best node of a carrier came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRoom {
    pub carrier: Carrier,
    /// None: no node of this carrier may take it at all.
    pub best: Option<(Place, Vec<super::capacity::Shortfall>)>,
}

struct NoRoomList<'a>(&'a [NoRoom]);

/// What makes a decision true. Each sets a value: to carry it out again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// All numbers below this one are given away.
    Number(u32),
    Open(Arc<Environment>),
    Amend(Arc<Environment>),
    /// The site's record, with the names that are answered with its current environment's addresses.
    Point(Site),
    Close(TenantId),
    Remove(Fqdn),
}

/// Everything that is to change, decided, before anything is changed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was made against. Applied to anything else it is refused.
    pub revision: Revision,
    pub made: Wall,
    /// In the order in which they were decided.
    pub decisions: Vec<Decision>,
    pub refusals: Vec<Refusal>,
    pub steps: Vec<Step>,
}

/// Decides what becomes of all wishes together: first what frees room, then what fits where it is, then what needs a
/// place, the largest first. O(wishes · nodes).
pub fn plan(wishes: &[Wish], inventory: &Inventory, current: &State, policy: &Policy, now: Wall) -> Plan {
    let mut draft = Draft::new(inventory, current, policy, now);
    for wish in in_order(wishes, current, &mut draft) {
        match wish {
            Wish::Remove { fqdn } => draft.remove(fqdn),
            Wish::Close { fqdn } => draft.close(fqdn),
            Wish::RollBack { fqdn } => draft.roll_back(fqdn),
            Wish::Serve { customer, sheet } => draft.serve(customer, sheet),
            Wish::Move { fqdn } => draft.move_on(fqdn),
        }
    }
    draft.place_waiting();
    draft.into_plan()
}

/// Wishes in the order they are looked at; those for one site that contradict each other are refused.
fn in_order<'a>(wishes: &'a [Wish], current: &State, draft: &mut Draft<'_>) -> Vec<&'a Wish> {
    let mut count: HashMap<&Fqdn, usize> = HashMap::with_capacity(wishes.len());
    wishes.iter().for_each(|wish| *count.entry(wish.fqdn()).or_default() += 1);
    let mut twice: Vec<&Fqdn> = count.iter().filter(|(_, n)| **n > 1).map(|(fqdn, _)| *fqdn).collect();
    twice.sort_unstable();
    twice.into_iter().for_each(|fqdn| draft.refuse(Refusal::Twice(fqdn.clone())));
    let mut ordered: Vec<&Wish> = wishes.iter().filter(|wish| count.get(wish.fqdn()) == Some(&1)).collect();
    ordered.sort_by_cached_key(|wish| (stage(wish, current), wish.fqdn().clone()));
    ordered
}

/// What gives room comes before what takes it.
fn stage(wish: &Wish, current: &State) -> u8 {
    match wish {
        Wish::Remove { .. } => 0,
        Wish::Close { .. } => 1,
        Wish::RollBack { .. } => 2,
        Wish::Serve { sheet, .. } => {
            let site = current.sites().get(&sheet.fqdn);
            let served = site.and_then(|site| current.environment(site.current));
            match served {
                Some(served) if sheet.peak.within(served.sheet.peak) => 3,
                _ => 4,
            }
        }
        Wish::Move { .. } => 5,
    }
}

/// The largest first: it has the fewest places to go to.
fn by_size(peak: Rates, fqdn: &Fqdn) -> (Reverse<[u64; 3]>, Fqdn) {
    (Reverse(Measure::ALL.map(|measure| peak.of(measure))), fqdn.clone())
}

#[cfg(test)]
pub(crate) mod tests;
