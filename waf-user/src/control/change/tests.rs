//! One sheet against one environment: a table of what customers change, and of what happened to nodes meanwhile.

use super::*;
use crate::control::inventory::tests::six_nodes;
use crate::control::plan::tests::{Fleet, sheet};
use crate::model::Mode;

/// What is decided for www.example.jp of 1,000 requests/s at a1 and b1, after `alter`.
fn decided(
    alter: impl FnOnce(&mut Sheet, &mut Vec<crate::control::inventory::Node>),
) -> (Change, Vec<String>) {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet("www.example.jp", 1_000));
    let environment = fleet.environment("www.example.jp");
    let (mut changed, mut nodes) = ((*environment.sheet).clone(), six_nodes());
    alter(&mut changed, &mut nodes);
    let inventory = Inventory::new(nodes).unwrap();
    let reserved = |at: usize| {
        let node = inventory.nodes().get(at).unwrap();
        fleet.state.load(&node.name).map(|load| load.reserved).unwrap_or_default()
    };
    let (change, reasons) = decide(&environment, &changed, &inventory, reserved);
    (change, reasons.iter().map(Reason::to_string).collect())
}

#[test]
fn contract_5_the_change_is_decided_against_todays_load_with_figures() {
    assert_eq!(decided(|_, _| {}), (Change::Same, vec![]));
    let (change, reasons) = decided(|sheet, _| sheet.peak.requests_s = 8_000);
    let expected = [
        "peak from 1,000 to 8,000 requests/s",
        "carrier-a node a1: 8,000 of 10,000 requests/s reserved with it",
        "carrier-b node b1: 8,000 of 10,000 requests/s reserved with it",
    ];
    assert_eq!((change, reasons.iter().map(String::as_str).collect()), (Change::InPlace, expected.to_vec()));
    let (change, reasons) = decided(|sheet, _| sheet.peak.requests_s = 8_001);
    let expected = [
        "peak from 1,000 to 8,001 requests/s",
        "carrier-a node a1: 1,000 of 10,000 requests/s reserved, 7,001 more do not fit under the 80 % line (8,000)",
        "carrier-b node b1: 1,000 of 10,000 requests/s reserved, 7,001 more do not fit under the 80 % line (8,000)",
    ];
    assert_eq!((change, reasons.iter().map(String::as_str).collect()), (Change::Move, expected.to_vec()));
}

#[test]
fn what_customers_change_and_what_happens_to_nodes() {
    type Alter = fn(&mut Sheet, &mut Vec<crate::control::inventory::Node>);
    let table: [(&str, Alter, Change, &str); 12] = [
        (
            "smaller peak",
            |sheet, _| sheet.peak.requests_s = 1,
            Change::InPlace,
            "peak from 1,000 to 1 requests/s",
        ),
        ("origins", |sheet, _| sheet.origins.clear(), Change::InPlace, "other origins"),
        ("options", |sheet, _| sheet.options.mode = Mode::Off, Change::InPlace, "other options"),
        (
            "residency elsewhere",
            |sheet, _| sheet.residency = Residency::new("de").unwrap(),
            Change::Move,
            "carrier-a node a1 lies outside de",
        ),
        ("draining, same sheet", |_, nodes| nodes[0].state = NodeState::Draining, Change::Same, ""),
        (
            "draining, smaller",
            |sheet, nodes| {
                nodes[0].state = NodeState::Draining;
                sheet.peak.requests_s = 999;
            },
            Change::InPlace,
            "peak from",
        ),
        (
            "draining, larger",
            |sheet, nodes| {
                nodes[0].state = NodeState::Draining;
                sheet.peak.requests_s = 1_001;
            },
            Change::Move,
            "carrier-a node a1 is draining and takes nothing more",
        ),
        ("dead", |_, nodes| nodes[3].state = NodeState::Dead, Change::Move, "carrier-b node b1 is dead"),
        (
            "gone",
            |_, nodes| drop(nodes.remove(3)),
            Change::Move,
            "carrier-b node b1 is no longer in the inventory",
        ),
        ("another node is dead", |_, nodes| nodes[1].state = NodeState::Dead, Change::Same, ""),
        ("smaller capacity, same sheet", |_, nodes| nodes[0].capacity.requests_s = 1, Change::Same, ""),
        (
            "smaller capacity, more of another measure",
            |sheet, nodes| {
                nodes[0].capacity.requests_s = 1;
                sheet.peak.mbit_s += 1;
            },
            Change::InPlace,
            "Mbit/s",
        ),
    ];
    for (name, alter, expected, reason) in table {
        let (change, reasons) = decided(alter);
        assert_eq!(change, expected, "{name}: {reasons:?}");
        assert!(reason.is_empty() || reasons.iter().any(|it| it.contains(reason)), "{name}: {reasons:?}");
    }
}

#[test]
fn tls_is_a_planned_change() {
    let certificate = super::super::sheet::Certificate { fingerprint: [1; 32], ends: crate::model::Wall(1) };
    let (change, reasons) = decided(|sheet, _| {
        sheet.tls = Tls::Upload(certificate);
        sheet.peak.handshakes_s = 100;
    });
    assert_eq!(change, Change::InPlace);
    assert!(reasons.contains(&"TLS turned on".to_owned()), "{reasons:?}");
    let carried = "carrier-a node a1: 100 of 10,000 TLS handshakes/s reserved with it";
    assert!(reasons.contains(&carried.to_owned()), "{reasons:?}");
    let (change, reasons) = decided(|sheet, _| {
        sheet.tls = Tls::Upload(certificate);
        sheet.peak.handshakes_s = 8_001;
    });
    assert_eq!(change, Change::Move, "{reasons:?}");
}
