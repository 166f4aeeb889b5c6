//! The step about members: nodes that the inventory names join the fleet, each by a token that works once.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::shown;
use crate::interrupt;
use crate::lab::fleet::Fleet;
use crate::lab::{CARRIERS, Node};

/// A node tells how it is once a second.
const READY: Duration = Duration::from_secs(10);

/// The inventory is applied, every node joins and starts, and a token that was used lets nobody else in.
///
/// # Errors
/// A node may not join or does not serve, or a used token is good for another.
pub fn joined(fleet: &mut Fleet) -> Result<String> {
    shown("waf fleet apply inventory.toml", &fleet.apply_inventory()?);
    let mut used = None;
    for index in 0..fleet.seats().len() {
        let token = fleet.join(index)?;
        used.get_or_insert(token);
    }
    let again = fleet.join_again(0, &used.context("a fleet without nodes")?)?;
    ensure!(!again.status.success(), "a token was used twice");
    fleet.start_nodes()?;
    interrupt::until("all nodes to be listed as ready", READY, || Ok(fleet.is_converged()?.then_some(())))?;
    shown("waf fleet list", &fleet.control().operator(&["fleet", "list"])?);
    let carriers = CARRIERS.map(|carrier| {
        let nodes = fleet.lab().nodes().iter().filter(|node| node.carrier == carrier).map(Node::name);
        format!("{} {}", carrier.name(), nodes.collect::<Vec<_>>().join(" "))
    });
    let complaint = String::from_utf8_lossy(&again.stderr);
    let complaint = complaint.trim().trim_start_matches("error: ");
    Ok(format!("{} ; a token used twice: {complaint:?}", carriers.join(" ; ")))
}
