//! Towards the nodes: what each of them is to serve, computed from the ledger's view.

pub mod document;
