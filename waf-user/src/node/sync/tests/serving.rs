//! Documents are served, kept and found again; control may be dead for as long as it likes.

use std::fs;
use std::time::Duration;

use super::scene::{SITE, Scene, play, serves, until};
use crate::node::shelf::ShelfError;
use crate::node::start;
use crate::node::{NodeError, Start};

/// The bound of the contract.
const CONVERGED_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_document_and_its_certificates_are_served() {
    play(|| async {
        let scene = Scene::new().await;
        let machines = [scene.joined("a1").await, scene.joined("b1").await];
        let nodes = machines.each_ref().map(super::machine::Machine::start);
        for node in &nodes {
            until("connected", || node.control().connected).await;
        }
        // As large as a node, so that each is needed.
        scene.world.apply(0..3, 5_000).await;
        let (fingerprint, ..) = scene.world.apply_tls("tls.example.jp").await;
        let view = scene.world.ledger.view();
        for (machine, node) in machines.iter().zip(&nodes) {
            let name = crate::model::NodeName::new(machine.settings().name.as_str()).unwrap();
            let mut expected: Vec<(String, bool)> = view
                .state
                .on(&name)
                .map(|(it, _)| (it.sheet.fqdn.to_string(), it.sheet.fqdn.as_str() == "tls.example.jp"))
                .collect();
            expected.sort();
            until("served", || node.sites() == expected).await;
            until("said", || node.control().generation == node.generation()).await;
            let named = node.document().unwrap().certificates().count();
            let kept =
                fs::read_dir(machine.settings().state_dir.join("control/certificates")).unwrap().count();
            assert_eq!(kept, 2 * named, "a chain and a key each, and nothing that is not its own");
            if named > 0 {
                machine.shelf().unwrap().identity(&crate::secret::hex::encode(&fingerprint)).unwrap();
            }
            let metrics = node.metrics();
            let generation = format!("waf_node_document_generation {}", node.generation());
            assert!(metrics.contains("waf_node_control_connected 1"), "{metrics}");
            assert!(metrics.contains(&generation), "{metrics}");
        }
    });
}

#[test]
fn contract_nodes_serve_with_control_dead_also_after_a_restart() {
    play(|| async {
        let scene = Scene::new().await;
        let nodes = scene.apply(SITE, 100).await;
        let machine = scene.joined(&nodes[0]).await;
        let node = machine.start();
        until("served and kept", || serves(&node, SITE) && node.control().generation > 0).await;
        let generation = node.generation();

        let gone = scene.kill();
        until("noticed", || !node.control().connected).await;
        assert!(serves(&node, SITE));
        drop(node);
        let node = machine.start();
        assert_eq!((node.generation(), serves(&node, SITE)), (generation, true));
        until("tried", || node.control().problem.is_some()).await;
        assert!(!node.control().connected && serves(&node, SITE));

        let scene = Scene::again(gone).await;
        scene.apply(SITE, 120).await;
        let took = until("converged", || node.generation() > generation).await;
        assert!(took < CONVERGED_WITHIN, "{took:?}");
        assert_eq!(node.document().unwrap().tenants[0].contract.requests_s, 120);
        until("kept", || machine.last_good().unwrap().map(|it| it.document) == node.document()).await;
    });
}

#[test]
fn a_document_that_was_tampered_with_is_not_served() {
    play(|| async {
        let scene = Scene::new().await;
        let nodes = scene.apply(SITE, 100).await;
        let mut machine = scene.joined(&nodes[0]).await;
        let node = machine.start();
        until("kept", || machine.last_good().is_ok_and(|kept| kept.is_some())).await;
        until("said", || node.control().generation > 0).await;
        drop(node);
        let path = machine.settings().state_dir.join("control/document.json");
        let text = fs::read_to_string(&path).unwrap();
        let address = "203.0.113.9";
        fs::write(&path, text.replace(address, "203.0.113.66")).unwrap();
        assert!(matches!(machine.last_good(), Err(ShelfError::Signature { .. })));

        machine.set_no_interface();
        let local = machine.local().clone();
        let prepared = |how| start::prepare(machine.settings(), &local, how);
        assert!(
            matches!(prepared(Start::TakeOver), Err(NodeError::Shelf(_))),
            "the node that serves goes on"
        );
        assert!(prepared(Start::Fresh).unwrap().waits(), "and one that starts waits for control");
    });
}

#[test]
fn without_interface_a_document_waits_for_a_restart() {
    play(|| async {
        let scene = Scene::new().await;
        let nodes = scene.apply(SITE, 100).await;
        let mut machine = scene.joined(&nodes[0]).await;
        machine.set_no_interface();
        let node = machine.start();
        let standing = || scene.world.fleet.standing(&crate::model::NodeName::new(&nodes[0]).unwrap());
        until("refused", || standing().is_some_and(|it| it.refused.is_some())).await;
        let why = standing().unwrap().refused.unwrap();
        assert!(why.contains("a restart of the node serves it"), "{why}");
        assert_eq!(node.control().problem, Some(why));
        drop(node);
        assert!(serves(&machine.start(), SITE));
    });
}
