//! Nodes that are to be empty -> the wishes that empty them, a day's worth at a time.

use std::collections::BTreeSet;

use super::Wish;
use crate::control::environment::State;
use crate::control::inventory::{Inventory, NodeState};
use crate::model::Fqdn;

/// Moves for sites that are served from dead and draining nodes, the dead first, `moves_max` at most. A site whose last
/// move is not closed yet waits. O(placements on these nodes).
pub fn evacuate(inventory: &Inventory, current: &State, moves_max: usize) -> Vec<Wish> {
    let mut chosen: Vec<Fqdn> = Vec::new();
    let mut seen = BTreeSet::new();
    for state in [NodeState::Dead, NodeState::Draining] {
        let nodes = inventory.nodes().iter().filter(|node| node.state == state);
        let tenants = nodes.filter_map(|node| current.load(&node.name)).flat_map(|load| &load.tenants);
        for environment in tenants.filter_map(|tenant| current.environment(*tenant)) {
            let fqdn = &environment.sheet.fqdn;
            let site = current.sites().get(fqdn);
            let is_due = site.is_some_and(|site| site.current == environment.tenant && site.old.is_none());
            if chosen.len() < moves_max && is_due && seen.insert(fqdn) {
                chosen.push(fqdn.clone());
            }
        }
    }
    chosen.into_iter().map(|fqdn| Wish::Move { fqdn }).collect()
}
