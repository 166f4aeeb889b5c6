//! Changes of the inventory: what may change of a node that serves, and the operations and lines of the audit log.

use std::collections::BTreeSet;

use serde_json::Value;

use super::load::{key, put};
use super::{Actor, Applied, Ledger, LedgerError, View};
use crate::control::audit::difference::difference;
use crate::control::audit::record::AuditChange;
use crate::control::document::NodeDocument;
use crate::control::inventory::{Inventory, Node, NodeState};
use crate::control::store::Operation;
use crate::model::{NodeName, Wall};

impl Ledger {
    /// Adds nodes to the inventory, or changes them.
    ///
    /// # Errors
    /// The inventory would be wrong, a node that serves would lose what it serves at, or the store's.
    pub async fn put_nodes(
        &self,
        nodes: Vec<Node>,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        self.alter_nodes(actor, now, |view| {
            nodes.iter().try_for_each(|node| may_change(view, node))?;
            let names: BTreeSet<&NodeName> = nodes.iter().map(|node| &node.name).collect();
            let others = view.inventory.nodes().iter().filter(|known| !names.contains(&known.name));
            let others: Vec<Node> = others.cloned().collect();
            Ok(others.into_iter().chain(nodes).collect())
        })
        .await
    }

    /// # Errors
    /// There is no such node, or the store's.
    pub async fn set_node_state(
        &self,
        name: &NodeName,
        state: NodeState,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        self.alter_nodes(actor, now, |view| {
            let mut all: Vec<Node> = view.inventory.nodes().to_vec();
            let found = all.iter_mut().find(|node| node.name == *name);
            found.ok_or_else(|| LedgerError::UnknownNode(name.clone()))?.state = state;
            Ok(all)
        })
        .await
    }

    /// # Errors
    /// There is no such node, it serves something, or the store's.
    pub async fn remove_node(
        &self,
        name: &NodeName,
        actor: &Actor,
        now: Wall,
    ) -> Result<Applied, LedgerError> {
        self.alter_nodes(actor, now, |view| {
            view.inventory.node(name).ok_or_else(|| LedgerError::UnknownNode(name.clone()))?;
            match view.state.on(name).count() {
                0 => Ok(view.inventory.nodes().iter().filter(|node| node.name != *name).cloned().collect()),
                environments => Err(LedgerError::NodeInUse { node: name.clone(), environments }),
            }
        })
        .await
    }

    async fn alter_nodes(
        &self,
        actor: &Actor,
        now: Wall,
        alter: impl FnOnce(&View) -> Result<Vec<Node>, LedgerError>,
    ) -> Result<Applied, LedgerError> {
        let mut held = self.held.lock().await;
        let mut next = (*self.view()).clone();
        let inventory = Inventory::new(alter(&next)?).map_err(LedgerError::Inventory)?;
        let (operations, changes) = differing(&next.inventory, &inventory)?;
        let steps = operations.len();
        if steps > 0 {
            next.inventory = inventory;
            self.put(&mut held, next, operations, changes, (actor, now)).await?;
        }
        Ok(Applied { revision: self.view().revision(), steps })
    }
}

/// Whether a node may become this one: what serves keeps its carrier, its residency and its addresses.
///
/// # Errors
/// [`LedgerError::NodeServes`] names what would change.
fn may_change(view: &View, node: &Node) -> Result<(), LedgerError> {
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

fn differing(
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
