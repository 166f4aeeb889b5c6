//! Where an environment goes: at each of two carriers the node that stays emptiest with it, so that neighbours keep
//! room to grow where they are and need not move. Several nodes a carrier only where one cannot carry the peak.

use std::net::Ipv4Addr;

use super::NoRoom;
use super::draft::Draft;
use crate::control::capacity::{Rates, Shortfall};
use crate::control::change::Place;
use crate::control::environment::{Placement, Strength};
use crate::control::inventory::{Node, NodeState};
use crate::control::sheet::Sheet;
use crate::model::TenantId;

/// With two carriers 16 addresses of each kind: an answer stays below 1,232 octets, what DNS carries over UDP unbroken.
pub(super) const PER_CARRIER_MAX: u64 = 8;

/// A node that could take a share, the better the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// The site's environment of today is here too: a Move should lead elsewhere.
    is_old: bool,
    strength: Strength,
    /// In millionths of what may be reserved, with the share.
    fullness: u64,
    /// Place in the inventory, which is in the order of names.
    at: usize,
}

/// Placements for a site, as many at one carrier as at the other and as few as possible. `old`: those it has today.
///
/// # Errors
/// There are not two carriers with room: how near each came.
pub(super) fn find_places(
    draft: &Draft<'_>,
    sheet: &Sheet,
    tenant: TenantId,
    old: &[Placement],
) -> Result<Vec<Placement>, Vec<NoRoom>> {
    for parts in 1..=PER_CARRIER_MAX {
        let share = sheet.peak.share(parts);
        let len = usize::try_from(parts).unwrap_or(usize::MAX);
        let mut carriers: Vec<(usize, Vec<Candidate>)> =
            (0..draft.inventory.carriers().len()).map(|carrier| (carrier, Vec::new())).collect();
        for (at, (carrier, node)) in draft.inventory.with_carriers().enumerate() {
            let Some(candidate) = candidate(draft, sheet, share, old, (at, node)) else { continue };
            let Some((_, best)) = carriers.get_mut(carrier) else { continue };
            let place = best.partition_point(|other| *other < candidate);
            if place < len {
                best.insert(place, candidate);
                best.truncate(len);
            }
        }
        carriers.retain(|(_, best)| best.len() == len);
        if carriers.len() < 2 {
            continue;
        }
        // The worst of its nodes speaks for a carrier.
        carriers.sort_by_key(|(carrier, best)| {
            (best.last().map(|it| (it.is_old, it.strength, it.fullness)), *carrier)
        });
        carriers.truncate(2);
        carriers.sort_unstable_by_key(|(carrier, _)| *carrier);
        let chosen = carriers.iter().flat_map(|(_, best)| best);
        let mut placements: Vec<Placement> =
            chosen.filter_map(|candidate| placement(draft, candidate, share, tenant)).collect();
        placements.sort_by(|a, b| (&a.carrier, &a.node).cmp(&(&b.carrier, &b.node)));
        if placements.len() == 2 * len {
            return Ok(placements);
        }
    }
    Err(how_near(draft, sheet))
}

fn candidate(
    draft: &Draft<'_>,
    sheet: &Sheet,
    share: Rates,
    old: &[Placement],
    (at, node): (usize, &Node),
) -> Option<Candidate> {
    if node.state != NodeState::Active || node.residency != sheet.residency {
        return None;
    }
    let (line, after) = (node.capacity.below_line(), draft.reserved.get(at)?.plus(share));
    if !after.within(line) {
        return None;
    }
    let here = old.iter().find(|placement| placement.node == node.name);
    let strength =
        if *draft.own_count.get(at)? < node.ipv4.own_len() { Strength::Own } else { Strength::Shared };
    // Two environments of one site never share an address.
    if strength == Strength::Shared && here.is_some_and(|old| old.strength == Strength::Shared) {
        return None;
    }
    Some(Candidate { is_old: here.is_some(), strength, fullness: after.fullness(line), at })
}

fn placement(draft: &Draft<'_>, candidate: &Candidate, share: Rates, tenant: TenantId) -> Option<Placement> {
    let node = draft.inventory.nodes().get(candidate.at)?;
    let own = match candidate.strength {
        Strength::Own => free_address(draft, candidate.at, node),
        Strength::Shared => None,
    };
    let (ipv4, strength) = match own {
        Some(address) => (address, Strength::Own),
        // The pool has shrunk below what is given away; the old environment may have the shared address.
        None if candidate.is_old => return None,
        None => (node.ipv4.shared()?, Strength::Shared),
    };
    Some(Placement {
        node: node.name.clone(),
        carrier: node.carrier.clone(),
        ipv4,
        strength,
        ipv6: node.ipv6_of(tenant),
        reserved: share,
    })
}

/// The first address that nobody has. O(addresses of the node).
fn free_address(draft: &Draft<'_>, at: usize, node: &Node) -> Option<Ipv4Addr> {
    let taken = draft.current.load(&node.name).map(|load| &load.own);
    let given = draft.given.get(&at);
    let is_free = |address: &Ipv4Addr| {
        !taken.is_some_and(|taken| taken.contains(address))
            && !given.is_some_and(|given| given.contains(address))
    };
    node.ipv4.own().find(is_free)
}

/// For each carrier, the node that would come nearest to taking the smallest share there is.
fn how_near(draft: &Draft<'_>, sheet: &Sheet) -> Vec<NoRoom> {
    let share = sheet.peak.share(PER_CARRIER_MAX);
    let mut near: Vec<(u64, NoRoom)> = (draft.inventory.carriers().iter())
        .map(|carrier| (u64::MAX, NoRoom { carrier: carrier.clone(), best: None }))
        .collect();
    for (at, (carrier, node)) in draft.inventory.with_carriers().enumerate() {
        if node.state != NodeState::Active || node.residency != sheet.residency {
            continue;
        }
        let reserved = draft.reserved.get(at).copied().unwrap_or_default();
        let fullness = reserved.plus(share).fullness(node.capacity.below_line());
        let Some((best, no_room)) = near.get_mut(carrier) else { continue };
        if no_room.best.is_none() || fullness < *best {
            let place = Place { carrier: node.carrier.clone(), node: node.name.clone() };
            // With the whole peak, if a share would fit: then it is nodes that lack, not room on this one.
            let shortfalls = |more| reserved.shortfalls(more, node.capacity).collect::<Vec<Shortfall>>();
            let found = Some(shortfalls(share)).filter(|found| !found.is_empty());
            no_room.best = Some((place, found.unwrap_or_else(|| shortfalls(sheet.peak))));
            *best = fullness;
        }
    }
    near.into_iter().map(|(_, no_room)| no_room).collect()
}
