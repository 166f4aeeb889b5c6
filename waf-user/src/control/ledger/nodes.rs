//! Changes of the inventory as operations and lines of the audit log.

use std::collections::BTreeSet;

use serde_json::Value;

use super::load::{key, put};
use super::{LedgerError, View};
use crate::control::audit::difference::difference;
use crate::control::audit::record::AuditChange;
use crate::control::document::NodeDocument;
use crate::control::inventory::{Inventory, Node};
use crate::control::store::Operation;
use crate::model::NodeName;

/// Whether a node may become this one: what serves keeps its carrier, its residency and its addresses.
///
/// # Errors
/// [`LedgerError::NodeServes`] names what would change.
pub(super) fn may_change(view: &View, node: &Node) -> Result<(), LedgerError> {
    let environments = view.state.on(&node.name).count();
    let Some(known) = view.inventory.node(&node.name).filter(|_| environments > 0) else { return Ok(()) };
    let serves = |what| LedgerError::NodeServes { node: node.name.clone(), what, environments };
    if known.carrier != node.carrier {
        return Err(serves("its carrier"));
    }
    if known.residency != node.residency {
        return Err(serves("its residency"));
    }
    if known.ipv6 != node.ipv6 {
        return Err(serves("its IPv6 prefix"));
    }
    let networks = node.ipv4.networks();
    let is_there = |address| networks.iter().any(|network| network.contains(&address));
    match view.state.on(&node.name).all(|(_, placement)| is_there(placement.ipv4)) {
        true => Ok(()),
        false => Err(serves("an IPv4 address in use")),
    }
}

pub(super) fn differing(
    before: &Inventory,
    after: &Inventory,
) -> Result<(Vec<Operation>, Vec<AuditChange>), LedgerError> {
    let names: BTreeSet<&NodeName> =
        before.nodes().iter().chain(after.nodes()).map(|node| &node.name).collect();
    let (mut operations, mut changes) = (Vec::new(), Vec::new());
    for name in names {
        let (was, is) = (before.node(name), after.node(name));
        if was == is {
            continue;
        }
        let document = is.map(NodeDocument::from);
        let rest = format!("node/{name}");
        operations.push(match &document {
            Some(document) => put(&rest, document)?,
            None => Operation::Delete(key(&rest)?),
        });
        let value = |node: Option<&Node>| {
            node.map_or(Value::Null, |node| {
                serde_json::to_value(NodeDocument::from(node)).unwrap_or_default()
            })
        };
        changes.push(AuditChange {
            subject: format!("node {name}"),
            action: if is.is_some() { "put" } else { "remove" }.to_owned(),
            customer: None,
            reasons: Vec::new(),
            differences: difference(&value(was), &value(is)),
        });
    }
    Ok((operations, changes))
}
