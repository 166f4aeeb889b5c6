//! A node's document holds its own tenants and nothing of others; a delta leads to it.

use super::*;
use crate::control::inventory::tests::six_nodes;
use crate::control::plan::tests::{Fleet, sheet};

fn document(fleet: &Fleet, node: &str) -> NodeDocument {
    document_of(&NodeName::new(node).unwrap(), &fleet.state, &fleet.inventory).unwrap()
}

#[test]
fn documents_hold_what_is_placed_there() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet("one.example", 100));
    let environment = fleet.environment("one.example");
    let names: Vec<NodeName> = fleet.inventory.nodes().iter().map(|node| node.name.clone()).collect();
    for name in &names {
        let document = document(&fleet, name.as_str());
        let here = environment.placements.iter().find(|placement| placement.node == *name);
        assert_eq!(document.tenants.len(), usize::from(here.is_some()), "{name}");
        if let (Some(tenant), Some(here)) = (document.tenants.first(), here) {
            assert_eq!(tenant.fqdn, "one.example");
            assert_eq!(tenant.addresses, here.addresses().collect::<Vec<_>>());
            assert_eq!(tenant.contract.requests_s, 100);
        }
    }
    assert!(document_of(&NodeName::new("nobody").unwrap(), &fleet.state, &fleet.inventory).is_none());
}

#[test]
fn a_delta_leads_to_the_next_document_and_others_keep_their_text() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet("one.example", 100));
    let names: Vec<String> = fleet.inventory.nodes().iter().map(|node| node.name.to_string()).collect();
    let before: Vec<NodeDocument> = names.iter().map(|name| document(&fleet, name)).collect();
    fleet.serve(&sheet("two.example", 200));
    let mut changed = 0;
    for (name, before) in names.iter().zip(&before) {
        let after = document(&fleet, name);
        let (put, removed) = difference_of(before, &after);
        let mut made = before.clone();
        made.tenants
            .retain(|it| !removed.contains(&it.tenant) && put.iter().all(|put| put.tenant != it.tenant));
        made.tenants.extend(put);
        made.tenants.sort_by_key(|it| it.tenant);
        assert_eq!(made, after, "{name}");
        changed += usize::from(after.to_text() != before.to_text());
    }
    assert_eq!(changed, fleet.environment("two.example").placements.len());
}
