//! What a start would say, without making anything.

use super::*;
use crate::node::shelf::ShelfError;
use crate::node::sync::tests::machine::Folder;
use crate::node::tests::{parse, tenant};

#[test]
fn a_node_without_control_is_counted_as_it_stands() {
    let text = "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\n";
    let (settings, config) = parse(&format!("{text}{}", tenant(1, "10.1.0.10", "rules = []")));
    let checked = check(&settings, &config).unwrap();
    assert_eq!((checked.tenants, checked.rules, checked.notes.len()), (1, 0, 0));
}

#[test]
fn a_node_that_has_not_joined_is_told_how_and_nothing_is_made() {
    let folder = Folder::new("check");
    let (mut settings, config) = parse(
        "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\n[control]\nurl = \"https://control.example.net:8444\"\n",
    );
    settings.state_dir = folder.path().join("state");
    let checked = check(&settings, &config).unwrap();
    assert!(checked.notes[0].contains("waf node-join"), "{checked:?}");
    assert!(!settings.state_dir.exists());

    Shelf::open(&settings.state_dir).unwrap();
    let begun = check(&settings, &config).unwrap_err();
    assert!(matches!(begun, NodeError::Shelf(ShelfError::NotJoined)), "{begun}");
}
