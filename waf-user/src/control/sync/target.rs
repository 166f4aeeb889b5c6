//! What a node is to serve, ready to be sent: whole, or as what changed since another one.

use super::document::{difference_of, document_of};
use crate::control::authority::Authority;
use crate::control::ledger::View;
use crate::model::NodeName;
use crate::model::sync::{Delta, Down, NodeDocument, Snapshot, TenantDocument, signing};

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
        match base.and_then(|base| Some((base, self.shorter(base)?))) {
            Some((base, (put, removed))) => Down::Delta(Delta {
                generation: self.generation,
                from: base.hash.clone(),
                put,
                removed,
                capacity: self.document.capacity,
                hash: self.hash.clone(),
                signature,
            }),
            None => Down::Snapshot(Snapshot {
                generation: self.generation,
                document: self.text.clone(),
                hash: self.hash.clone(),
                signature,
            }),
        }
    }

    /// What changed; none where that is most of the document.
    fn shorter(&self, base: &Self) -> Option<(Vec<TenantDocument>, Vec<u32>)> {
        let (put, removed) = difference_of(&base.document, &self.document);
        (2 * put.len() <= self.document.tenants.len()).then_some((put, removed))
    }
}

/// Whether a node serves the same in both views. O(its tenants), without making text of them.
pub fn is_same(node: &NodeName, before: &View, after: &View) -> bool {
    before.inventory.node(node) == after.inventory.node(node)
        && before.state.on(node).eq(after.state.on(node))
}
