//! What a new sheet means for an environment as loads are today: [`Change`], with the reasons in figures. Where an
//! environment goes that must move is not decided here.

use std::fmt;

use super::capacity::{Measure, Rates, Shortfall, Thousands};
use super::environment::Environment;
use super::inventory::{Inventory, NodeState};
use super::sheet::{Residency, Sheet, Tls};
use crate::model::{Carrier, NodeName};

/// What a new sheet means for an existing environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Nothing is to be done.
    Same,
    /// The same CNAME, the same addresses.
    InPlace,
    /// Another infrastructure: a new CNAME and new addresses.
    Move,
}

/// A node and its carrier, as an operator reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub carrier: Carrier,
    pub node: NodeName,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} node {}", self.carrier, self.node)
    }
}

/// Why a decision is as it is. For operators: customers are shown a [`super::plan::Notice`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// What a placement reserves from now on, and what there is then.
    Peak {
        measure: Measure,
        before: u64,
        after: u64,
    },
    /// A placement's node carries the change.
    Fits {
        place: Place,
        measure: Measure,
        reserved: u64,
        capacity: u64,
    },
    TlsOn,
    TlsOff,
    Certificate,
    Origins,
    Residency {
        before: Residency,
        after: Residency,
    },
    Options,
    /// From here on: why it cannot stay.
    DoesNotFit {
        place: Place,
        shortfall: Shortfall,
    },
    OutsideResidency {
        place: Place,
        residency: Residency,
    },
    NodeDraining(Place),
    NodeDead(Place),
    NodeUnknown(Place),
    /// An operator asked for it.
    Asked,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peak { measure, before, after } => {
                write!(f, "peak from {} to {} {measure}", Thousands(*before), Thousands(*after))
            }
            Self::Fits { place, measure, reserved, capacity } => write!(
                f,
                "{place}: {} of {} {measure} reserved with it",
                Thousands(*reserved),
                Thousands(*capacity)
            ),
            Self::TlsOn => f.write_str("TLS turned on"),
            Self::TlsOff => f.write_str("TLS turned off"),
            Self::Certificate => f.write_str("another certificate"),
            Self::Origins => f.write_str("other origins"),
            Self::Residency { before, after } => write!(f, "residency from {before} to {after}"),
            Self::Options => f.write_str("other options"),
            Self::DoesNotFit { place, shortfall } => write!(f, "{place}: {shortfall}"),
            Self::OutsideResidency { place, residency } => write!(f, "{place} lies outside {residency}"),
            Self::NodeDraining(place) => write!(f, "{place} is draining and takes nothing more"),
            Self::NodeDead(place) => write!(f, "{place} is dead"),
            Self::NodeUnknown(place) => write!(f, "{place} is no longer in the inventory"),
            Self::Asked => f.write_str("an operator asked for it"),
        }
    }
}

/// Decides between `Same`, `InPlace` and `Move`. `reserved`: what is reserved on a node, by its place in the inventory.
pub(super) fn decide(
    environment: &Environment,
    sheet: &Sheet,
    inventory: &Inventory,
    reserved: impl Fn(usize) -> Rates,
) -> (Change, Vec<Reason>) {
    let before = &environment.sheet;
    let share = sheet.peak.share(environment.per_carrier());
    let mut reasons = differences(before, sheet);
    let (mut fits, mut fails) = (Vec::new(), Vec::new());
    for placement in &environment.placements {
        let place = Place { carrier: placement.carrier.clone(), node: placement.node.clone() };
        let at = inventory.place_of(&placement.node);
        let found = at.and_then(|at| Some((at, inventory.nodes().get(at)?)));
        let Some((at, node)) = found.filter(|(_, node)| node.carrier == placement.carrier) else {
            fails.push(Reason::NodeUnknown(place));
            continue;
        };
        if node.residency != sheet.residency {
            fails.push(Reason::OutsideResidency { place: place.clone(), residency: sheet.residency });
        }
        let more = share.minus(placement.reserved);
        match node.state {
            NodeState::Dead => fails.push(Reason::NodeDead(place)),
            NodeState::Draining if more != Rates::default() => fails.push(Reason::NodeDraining(place)),
            NodeState::Draining | NodeState::Active => {
                let shortfalls = reserved(at).shortfalls(more, node.capacity);
                fails.extend(
                    shortfalls.map(|shortfall| Reason::DoesNotFit { place: place.clone(), shortfall }),
                );
                let after = reserved(at).minus(placement.reserved).plus(share);
                let changed = Measure::ALL.into_iter().filter(|m| share.of(*m) != placement.reserved.of(*m));
                fits.extend(changed.map(|measure| Reason::Fits {
                    place: place.clone(),
                    measure,
                    reserved: after.of(measure),
                    capacity: node.capacity.of(measure),
                }));
            }
        }
    }
    let change = match (fails.is_empty(), reasons.is_empty()) {
        (false, _) => Change::Move,
        (true, false) => Change::InPlace,
        (true, true) => Change::Same,
    };
    reasons.extend(if change == Change::Move { fails } else { fits });
    (change, reasons)
}

/// The nodes of an environment that are to be empty.
pub(super) fn unfit_nodes(environment: &Environment, inventory: &Inventory) -> Vec<Reason> {
    let unfit = environment.placements.iter().filter_map(|placement| {
        let place = Place { carrier: placement.carrier.clone(), node: placement.node.clone() };
        match inventory.node(&placement.node).map(|node| node.state) {
            Some(NodeState::Active) => None,
            Some(NodeState::Draining) => Some(Reason::NodeDraining(place)),
            Some(NodeState::Dead) => Some(Reason::NodeDead(place)),
            None => Some(Reason::NodeUnknown(place)),
        }
    });
    unfit.collect()
}

/// What the customer changed.
fn differences(before: &Sheet, after: &Sheet) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for measure in Measure::ALL {
        let (before, after) = (before.peak.of(measure), after.peak.of(measure));
        if before != after {
            reasons.push(Reason::Peak { measure, before, after });
        }
    }
    match (before.tls, after.tls) {
        (Tls::None, Tls::Upload(_)) => reasons.push(Reason::TlsOn),
        (Tls::Upload(_), Tls::None) => reasons.push(Reason::TlsOff),
        (before, after) if before != after => reasons.push(Reason::Certificate),
        _ => {}
    }
    if before.origins != after.origins {
        reasons.push(Reason::Origins);
    }
    if before.residency != after.residency {
        reasons.push(Reason::Residency { before: before.residency, after: after.residency });
    }
    if before.options != after.options {
        reasons.push(Reason::Options);
    }
    reasons
}

#[cfg(test)]
mod tests;
