//! Bans as people ask for them: those of some places, page by page, in the order of places and prefixes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ipnet::IpNet;

use super::known::Known;
use super::{BanError, Where};
use crate::model::sync::{BanSource, FleetScope};
use crate::model::{Fqdn, Wall};

/// The fleet's name among the places of `after`: no FQDN begins so.
const FLEET: &str = "-";

/// One ban that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBan {
    pub prefix: IpNet,
    /// The site it holds for; none: the whole fleet.
    pub site: Option<Fqdn>,
    pub source: BanSource,
    /// For people; may be empty.
    pub reason: String,
    /// None: until it is lifted.
    pub expires: Option<Wall>,
}

/// Some of the bans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub bans: Vec<ListedBan>,
    /// To be given as `after`; none: that was all.
    pub next: Option<String>,
}

/// `-/192.0.2.0/24`, `www.example/2001:db8::/64`.
struct After<'a> {
    place: &'a str,
    prefix: IpNet,
}

impl<'a> After<'a> {
    fn parse(text: &'a str) -> Result<Self, BanError> {
        let parts = text
            .split_once('/')
            .and_then(|(place, prefix)| Some(Self { place, prefix: prefix.parse().ok()? }));
        parts.ok_or_else(|| BanError::After(text.chars().take(300).collect()))
    }
}

impl Where {
    fn name(&self) -> &str {
        match self {
            Self::Fleet => FLEET,
            Self::Site(fqdn, _) => fqdn.as_str(),
        }
    }

    fn site(&self) -> Option<&Fqdn> {
        match self {
            Self::Fleet => None,
            Self::Site(fqdn, _) => Some(fqdn),
        }
    }

    /// During a move a site has two environments, so a ban of it is kept twice.
    pub(super) fn scopes(&self) -> Vec<FleetScope> {
        match self {
            Self::Fleet => vec![FleetScope::Fleet],
            Self::Site(_, tenants) => tenants.iter().map(|it| FleetScope::Tenant(it.number())).collect(),
        }
    }
}

impl Known {
    pub fn page(
        &self,
        places: &[Where],
        after: Option<&str>,
        limit: usize,
        now: Wall,
    ) -> Result<Page, BanError> {
        let after = after.map(After::parse).transpose()?;
        let mut sorted: Vec<&Where> = places.iter().collect();
        sorted.sort_by(|one, other| one.name().cmp(other.name()));
        sorted.dedup_by(|one, other| one.name() == other.name());
        let mut bans = Vec::new();
        for place in sorted {
            let behind = match &after {
                Some(after) if place.name() < after.place => continue,
                Some(after) if place.name() == after.place => Some(after.prefix),
                _ => None,
            };
            let room = limit.saturating_add(1) - bans.len();
            self.of_place(place, behind, room, now, &mut bans);
            if bans.len() > limit {
                break;
            }
        }
        let is_all = bans.len() <= limit;
        bans.truncate(limit);
        let next = bans
            .last()
            .filter(|_| !is_all)
            .map(|last| format!("{}/{}", last.site.as_ref().map_or(FLEET, Fqdn::as_str), last.prefix));
        Ok(Page { bans, next })
    }

    /// At most `room` more. Of one prefix in two scopes the longer ban is shown.
    fn of_place(
        &self,
        place: &Where,
        after: Option<IpNet>,
        room: usize,
        now: Wall,
        bans: &mut Vec<ListedBan>,
    ) {
        let mut found = BTreeMap::new();
        for scope in place.scopes() {
            let holds = self.of_scope(scope, after).filter(|(_, kept)| !kept.terms.is_over(now));
            for (prefix, kept) in holds.take(room) {
                match found.entry(prefix) {
                    Entry::Vacant(vacant) => drop(vacant.insert(&kept.terms)),
                    Entry::Occupied(mut there) if kept.terms.end() > there.get().end() => {
                        there.insert(&kept.terms);
                    }
                    Entry::Occupied(_) => {}
                }
            }
        }
        bans.extend(found.into_iter().take(room).map(|(prefix, terms)| ListedBan {
            prefix,
            site: place.site().cloned(),
            source: terms.source,
            reason: terms.reason.clone(),
            expires: terms.expires,
        }));
    }
}
