//! What a node is to serve, ready to be sent: whole, or as what changed since another one.

use super::document::{delta_of, document_of};
use crate::control::authority::Authority;
use crate::control::ledger::View;
use crate::model::NodeName;
use crate::model::sync::{Delta, Down, NodeDocument, Snapshot, signing};

/// A document at the revision that it was computed from.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    pub generation: u64,
    pub document: NodeDocument,
    pub text: String,
    pub hash: String,
}

impl Target {
    /// None for a node that is not of the inventory, or is dead.
    pub fn of(node: &NodeName, view: &View) -> Option<Self> {
        let document = document_of(node, &view.state, &view.inventory)?;
        let text = document.to_text();
        let hash = signing::hash_of(&text);
        Some(Self { generation: view.revision().0, document, text, hash })
    }

    /// As a message, signed: what changed since `base` where that is shorter.
    pub fn message(&self, base: Option<&Self>, node: &NodeName, authority: &Authority) -> Down {
        let signature = authority.sign(node, self.generation, &self.text);
        match base.and_then(|base| self.delta(base)) {
            Some(delta) => Down::Delta(Delta { signature, ..delta }),
            None => Down::Snapshot(Snapshot {
                generation: self.generation,
                document: self.text.clone(),
                hash: self.hash.clone(),
                signature,
            }),
        }
    }

    /// None where most of the document is new.
    fn delta(&self, base: &Self) -> Option<Delta> {
        let delta = delta_of(&base.document, &self.document, self.generation);
        let is_shorter = 2 * delta.put.len() <= self.document.tenants.len();
        is_shorter.then_some(delta)
    }
}

/// Whether a node serves the same in both views. O(its tenants), without making text of them.
pub fn is_same(node: &NodeName, before: &View, after: &View) -> bool {
    before.inventory.node(node) == after.inventory.node(node)
        && before.state.on(node).eq(after.state.on(node))
}
