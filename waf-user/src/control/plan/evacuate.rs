//! Nodes that are to be empty -> the wishes that empty them, a day's worth at a time.

use std::collections::BTreeSet;

use super::Wish;
use crate::control::environment::State;
use crate::control::inventory::{Inventory, NodeState};
use crate::model::{Fqdn, NodeName};

/// Moves for sites that are served from dead and draining nodes, `moves_max` at most: first those from nodes that are dead
/// or no longer in the inventory. A site whose last move is not closed yet waits. O(nodes + placements on these nodes).
pub fn evacuate(inventory: &Inventory, current: &State, moves_max: usize) -> Vec<Wish> {
    let mut chosen: Vec<Fqdn> = Vec::new();
    let mut seen = BTreeSet::new();
    let loaded: Vec<(&NodeName, NodeState)> = (current.loaded().into_iter())
        .map(|name| (name, inventory.node(name).map_or(NodeState::Dead, |node| node.state)))
        .collect();
    for wanted in [NodeState::Dead, NodeState::Draining] {
        let nodes = loaded.iter().filter(|(_, state)| *state == wanted);
        for (environment, _) in nodes.flat_map(|(name, _)| current.on(name)) {
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
