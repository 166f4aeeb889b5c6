//! A node joins once, stays who it is, renews in time, and is told why it is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::machine::Machine;
use super::scene::{SITE, Scene, play, serves, until};
use crate::control::sync::tests::world::name;
use crate::model::sync::{JoinRequest, KeyText};
use crate::model::{NodeName, Wall};
use crate::node::shelf::{Shelf, ShelfError};
use crate::node::sync::call::CallError;
use crate::node::sync::join::JoinError;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Joined some days ago, as if control's clock had stood there.
async fn joined_before(scene: &Scene, node: &str, days: u64) -> Machine {
    let machine = scene.machine(node);
    let (then, lasts) = (Wall(Wall::now().0 - days * DAY_MS), Duration::from_secs(60));
    let token = scene.world.authority.token(&name(node), lasts, then).await.unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let asked = JoinRequest { node: node.to_owned(), token, request };
    let reply = scene.world.authority.join(&asked, then).await.unwrap();
    let shelf = machine.shelf().unwrap();
    shelf.join(&reply, &KeyText::new(key.serialize_pem())).unwrap();
    machine
}

fn certificate(machine: &Machine) -> Vec<u8> {
    fs::read(machine.settings().state_dir.join("control/node.pem")).unwrap()
}

fn refused(joined: Result<(), JoinError>) -> String {
    match joined {
        Err(JoinError::Call(CallError::Refused { status: 403, error })) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_good_once_and_its_files_are_nobody_elses() {
    play(|| async {
        let scene = Scene::new().await;
        let machine = scene.machine("a1");
        let token = scene.token("a1").await;
        machine.join(&token).await.unwrap();
        let folder = machine.settings().state_dir.join("control");
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let mut files = 0;
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
            let expected = if entry.file_type().unwrap().is_dir() { 0o700 } else { 0o600 };
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, expected, "{}", entry.path().display());
            files += 1;
        }
        assert_eq!(files, 5, "node.pem, authority.pem, fleet.key, shelf.keys, certificates");

        let before = certificate(&machine);
        assert!(refused(machine.join(&token).await).contains("was used already"));
        let others = scene.token("b1").await;
        assert!(refused(machine.join(&others).await).contains("is for node b1"));
        assert!(matches!(machine.join("nonsense").await, Err(JoinError::Token)));
        assert_eq!(certificate(&machine), before, "nothing of it is kept");

        fs::set_permissions(folder.join("node.pem"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(machine.shelf().unwrap().membership(), Err(ShelfError::Open(_))));
    });
}

#[test]
fn another_fleet_gets_neither_token_nor_node() {
    play(|| async {
        let (scene, foreign) = (Scene::new().await, Scene::new().await);
        // A token of one fleet where another listens: the other is recognised before the token is shown.
        let machine = scene.machine("a1");
        let theirs = foreign.token("a1").await;
        let error = machine.join(&theirs).await.unwrap_err();
        assert!(error.to_string().contains("not the control plane"), "{error}");
        machine.join(&scene.token("a1").await).await.unwrap();
        assert!(matches!(machine.join(&theirs).await, Err(JoinError::Shelf(ShelfError::OtherFleet(_)))));
        // A member of one fleet that finds another where its own was.
        scene.door.open_to(foreign.world.address);
        let node = machine.start();
        until("told", || node.control().problem.is_some()).await;
        let problem = node.control().problem.unwrap();
        assert!(problem.contains("not the control plane that this node"), "{problem}");
    });
}

#[test]
fn a_certificate_is_renewed_when_half_of_its_time_is_over() {
    play(|| async {
        let scene = Scene::new().await;
        let machine = joined_before(&scene, "a1", 20).await;
        let before = certificate(&machine);
        let node = machine.start();
        until("renewed", || certificate(&machine) != before).await;
        let node_name = NodeName::new("a1").unwrap();
        let ends =
            |it: crate::control::sync::NodeStanding| it.certificate_ends_ms > Wall::now().0 + 20 * DAY_MS;
        until("connected with it", || scene.world.fleet.standing(&node_name).is_some_and(ends)).await;
        until("says so", || node.control().connected).await;
        let renewed = certificate(&machine);
        drop(node);
        let node = machine.start();
        until("again", || node.control().connected).await;
        assert_eq!(certificate(&machine), renewed, "not before half of it");
    });
}

#[test]
fn whose_certificate_has_ended_serves_on_and_may_join_again() {
    play(|| async {
        let scene = Scene::new().await;
        let nodes = scene.apply(SITE, 100).await;
        let machine = scene.joined(&nodes[0]).await;
        let node = machine.start();
        until("said", || node.control().generation > 0).await;
        // As if it had been away for more than a month.
        let ended = joined_before(&scene, &nodes[0], 40).await;
        fs::write(machine.settings().state_dir.join("control/node.pem"), certificate(&ended)).unwrap();
        scene.door.cut();
        until("told", || node.control().problem.is_some_and(|it| it.contains("has ended"))).await;
        assert!(serves(&node, SITE));
        drop(node);
        let node = machine.start();
        assert!(serves(&node, SITE));
        machine.join(&scene.token(&nodes[0]).await).await.unwrap();
        until("connected", || node.control().connected).await;
        assert!(serves(&node, SITE), "what it serves is kept");
    });
}

#[test]
fn a_revoked_node_serves_on_and_is_told() {
    play(|| async {
        let scene = Scene::new().await;
        let nodes = scene.apply(SITE, 100).await;
        let machine = scene.joined(&nodes[0]).await;
        let node = machine.start();
        until("said", || node.control().generation > 0).await;
        scene.world.authority.revoke(&NodeName::new(&nodes[0]).unwrap()).await.unwrap();
        until("told", || node.control().problem.is_some_and(|it| it.contains("revoked"))).await;
        assert!(serves(&node, SITE));
        let shelf = Shelf::open(&machine.settings().state_dir).unwrap();
        shelf.membership().unwrap();
    });
}
