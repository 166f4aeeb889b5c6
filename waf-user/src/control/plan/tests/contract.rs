//! The contract with the customer, point by point, as far as plans can keep it.

use std::net::IpAddr;

use super::*;
use crate::control::inventory::tests::node;

#[test]
fn contract_2_two_carriers_either_of_which_carries_the_whole_peak() {
    let mut fleet = Fleet::new(six_nodes());
    let plan = fleet.serve(&sheet(WWW, 5_000));
    assert_eq!(action(&plan), Some(Action::Open));
    let environment = fleet.environment(WWW);
    let carriers: Vec<&str> = environment.placements.iter().map(|it| it.carrier.as_str()).collect();
    assert_eq!(carriers, ["carrier-a", "carrier-b"]);
    for placement in &environment.placements {
        assert_eq!(placement.reserved, environment.sheet.peak, "one alone");
    }
    fleet.assert_valid();
}

#[test]
fn contract_2_never_one_carrier_alone() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.alter(|node| {
        if node.carrier.as_str() == "carrier-b" {
            node.state = NodeState::Dead;
        }
    });
    let plan = fleet.serve(&sheet(WWW, 1));
    let expected = "www.example.jp: no room at two carriers in jp\
        ; carrier-a node a1 has room below its 80 % line; carrier-b: no active node there";
    assert_eq!(plan.refusals[0].to_string(), expected);
    assert!(plan.steps.is_empty());
}

#[test]
fn contract_2_a_site_too_big_for_one_node_gets_more_all_published() {
    let mut fleet = Fleet::new(six_nodes());
    for (fqdn, requests_s, per_carrier) in [("one.jp0", 8_000, 1), ("two.jp0", 16_000, 2)] {
        let plan = fleet.serve(&sheet(fqdn, requests_s));
        assert!(plan.refusals.is_empty(), "{plan}");
        let environment = fleet.environment(fqdn);
        assert_eq!(environment.placements.len(), 2 * per_carrier, "{fqdn}");
        // A and AAAA of each placement.
        assert_eq!(fleet.state.answers(&environment.name).len(), 4 * per_carrier, "{fqdn}");
    }
    let two = fleet.environment("two.jp0");
    assert!(two.placements.iter().all(|placement| placement.reserved.requests_s == 8_000));
    fleet.assert_valid();
    let plan = fleet.serve(&sheet("three.jp0", 1));
    assert!(matches!(plan.refusals[0], Refusal::NoRoom { .. }), "both carriers are full to the line");
}

#[test]
fn contract_3_the_notice_names_cname_addresses_and_sources_in_two_languages() {
    let mut fleet = Fleet::new(six_nodes());
    let plan = fleet.serve(&sheet(WWW, 100));
    let notice = Notice::new(&plan.decisions[0], &fleet.inventory);
    let text = notice.text(Language::En);
    let expected = "\
www.example.jp is protected from now on.
CNAME: NAME
At a zone apex, all of these addresses: 10.1.0.0 10.11.0.0 2001:db8:1::1 2001:db8:11::1
Kernel filter: per site from the first packet (addresses of its own)
We reach your origin from: 198.51.100.1 198.51.100.11
Please let these new ones through beforehand: 198.51.100.1 198.51.100.11
";
    let name = fleet.environment(WWW).name.to_string();
    assert!(name.ends_with(".edge.example.net"));
    assert_eq!(text.replace(&name, "NAME"), expected);
    let japanese = notice.text(Language::Ja);
    for part in [name.as_str(), "10.1.0.0", "2001:db8:11::1", "198.51.100.11", "の保護を開始します"]
    {
        assert!(japanese.contains(part), "{part}: {japanese}");
    }
}

#[test]
fn contract_3_no_node_carrier_or_region_is_ever_shown_to_a_customer() {
    let mut fleet = Fleet::new(six_nodes());
    let mut plans = vec![fleet.serve(&sheet(WWW, 1_000))];
    plans.push(fleet.serve(&sheet(WWW, 1_000)));
    plans.push(fleet.serve(&sheet(WWW, 2_000)));
    plans.push(fleet.serve(&sheet(WWW, 9_000)));
    plans.push(fleet.run(&[Wish::RollBack { fqdn: www() }]));
    plans.push(fleet.run(&[Wish::Close { fqdn: www() }]));
    fleet.set_state("b1", NodeState::Dead);
    plans.push(fleet.serve(&sheet(WWW, 2_000)));
    plans.push(fleet.serve(&sheet("huge.jp0", 1_000_000)));
    plans.push(fleet.run(&[Wish::Remove { fqdn: www() }]));
    let mut texts = Vec::new();
    for plan in &plans {
        let decided = plan.decisions.iter().map(|it| Notice::new(it, &fleet.inventory));
        let notices: Vec<Notice> =
            decided.chain(plan.refusals.iter().filter_map(Notice::of_refusal)).collect();
        assert_eq!(notices.len(), 1, "{plan}");
        for notice in notices {
            texts.extend([notice.text(Language::En), notice.text(Language::Ja), format!("{notice:?}")]);
        }
    }
    assert_eq!(texts.len(), 27);
    for text in texts {
        for node in fleet.inventory.nodes() {
            let words = [node.name.as_str(), node.carrier.as_str(), node.region.0.as_str()];
            for word in words {
                let shown = text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|it| it == word);
                assert!(!shown, "{word} in {text}");
            }
        }
        assert!(!text.contains("carrier") && !text.contains("node") && !text.contains("region"), "{text}");
    }
}

#[test]
fn contract_3_no_region_can_be_chosen() {
    // A sheet has no such field: nothing but the residency decides.
    let mut nodes = six_nodes();
    let abroad = |name, carrier, number| {
        let mut node = node(name, carrier, number);
        node.residency = Residency::new("de").unwrap();
        node
    };
    nodes.extend([abroad("a9", "carrier-a", 9), abroad("c9", "carrier-c", 29)]);
    let mut fleet = Fleet::new(nodes);
    let mut german = sheet("www.example.de", 100);
    german.residency = Residency::new("de").unwrap();
    fleet.serve(&german);
    assert_eq!(nodes_of(&fleet.environment("www.example.de")), ["a9", "c9"]);
    for at in 0..20 {
        fleet.serve(&sheet(&format!("{at}.jp0"), 100));
    }
    fleet.assert_valid();
}

#[test]
fn contract_4_the_name_is_answered_with_all_addresses() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 100));
    let environment = fleet.environment(WWW);
    let answers = fleet.state.answers(&environment.name);
    let expected: Vec<IpAddr> = environment.placements.iter().flat_map(|it| it.addresses()).collect();
    assert_eq!(answers.len(), 4);
    assert!(expected.iter().all(|address| answers.contains(address)));
}

#[test]
fn contract_5_same_in_place_or_move_is_shown_before_it_is_applied() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    let before = fleet.environment(WWW);
    assert_eq!(action(&fleet.plan(&[serve(&sheet(WWW, 1_000))])), Some(Action::Change(Change::Same)));
    let untouched = fleet.state.clone();
    let plan = fleet.plan(&[serve(&sheet(WWW, 3_000))]);
    assert_eq!(fleet.state, untouched, "a plan changes nothing");
    let expected = "\
plan against revision 1
www.example.jp: in place: same CNAME, same addresses
  because peak from 1,000 to 3,000 requests/s
  because peak from 101 to 301 Mbit/s
  because carrier-a node a1: 3,000 of 10,000 requests/s reserved with it
  because carrier-a node a1: 301 of 10,000 Mbit/s reserved with it
  because carrier-b node b1: 3,000 of 10,000 requests/s reserved with it
  because carrier-b node b1: 301 of 10,000 Mbit/s reserved with it
  then: NAME (environment 1)
    carrier-a node a1: 10.1.0.0 (own: kernel strength per site) and 2001:db8:1::1, reserves 3,000 requests/s, 301 Mbit/s, 0 TLS handshakes/s
    carrier-b node b1: 10.11.0.0 (own: kernel strength per site) and 2001:db8:11::1, reserves 3,000 requests/s, 301 Mbit/s, 0 TLS handshakes/s
";
    assert_eq!(plan.to_string().replace(before.name.as_str(), "NAME"), expected);
    fleet.state.apply(&plan).unwrap();
    let after = fleet.environment(WWW);
    assert_eq!((&after.name, after.addresses()), (&before.name, before.addresses()));
    assert_eq!(after.generation.0, 2);
    fleet.assert_valid();
}

#[test]
fn contract_5_the_decision_depends_on_the_day() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    let raised = [serve(&sheet(WWW, 3_000))];
    assert_eq!(action(&fleet.plan(&raised)), Some(Action::Change(Change::InPlace)));
    // Neighbours come: the first two go elsewhere, the next ones beside it.
    for at in 0..6 {
        fleet.serve(&sheet(&format!("{at}.jp0"), 3_000));
    }
    let plan = fleet.plan(&raised);
    assert_eq!(action(&plan), Some(Action::Change(Change::Move)), "{plan}");
    let line = "  because carrier-a node a1: 7,000 of 10,000 requests/s reserved, \
        2,000 more do not fit under the 80 % line (8,000)\n";
    assert!(plan.to_string().contains(line), "{plan}");
}

#[test]
fn contract_5_tls_on_and_off_are_planned_changes() {
    let certificate = crate::control::sheet::Certificate { fingerprint: [7; 32], ends: Wall(u64::MAX) };
    let mut fleet = Fleet::new(six_nodes());
    let plain = sheet(WWW, 1_000);
    fleet.serve(&plain);
    let mut with_tls = plain.clone();
    with_tls.tls = Tls::Upload(certificate);
    with_tls.peak.handshakes_s = 200;
    for (sheet, reason) in [(&with_tls, "TLS turned on"), (&plain, "TLS turned off")] {
        let plan = fleet.serve(sheet);
        assert_eq!(action(&plan), Some(Action::Change(Change::InPlace)), "{reason}");
        assert!(plan.to_string().contains(reason), "{plan}");
        let reserved = fleet.environment(WWW).placements[0].reserved;
        assert_eq!(reserved.handshakes_s, sheet.peak.handshakes_s, "{reason}");
    }
    with_tls.peak.handshakes_s = 9_000;
    let plan = fleet.serve(&with_tls);
    assert_eq!(action(&plan), Some(Action::Change(Change::Move)), "{plan}");
    fleet.assert_valid();
}

#[test]
fn contract_6_during_a_move_both_serve_and_the_old_cname_leads_to_the_new_addresses() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    let old = fleet.environment(WWW);
    let plan = fleet.run(&[Wish::Move { fqdn: www() }]);
    assert!(plan.to_string().contains("because an operator asked for it"), "{plan}");
    let new = fleet.environment(WWW);
    assert_ne!(old.tenant, new.tenant);
    assert_ne!(old.name, new.name);
    assert!(fleet.state.environment(old.tenant).is_some(), "serves on");
    assert!(old.addresses().iter().all(|address| !new.addresses().contains(address)));
    for name in [&old.name, &new.name] {
        assert_eq!(fleet.state.answers(name), new.addresses());
    }
    fleet.assert_valid();
    // Roll back is one wish until the old one closes, and forward again is another.
    for expected in [&old, &new] {
        fleet.run(&[Wish::RollBack { fqdn: www() }]);
        assert_eq!(fleet.environment(WWW).tenant, expected.tenant);
        for name in [&old.name, &new.name] {
            assert_eq!(fleet.state.answers(name), expected.addresses());
        }
        fleet.assert_valid();
    }
    fleet.run(&[Wish::Close { fqdn: www() }]);
    assert!(fleet.state.environment(old.tenant).is_none());
    assert_eq!(fleet.state.answers(&old.name), new.addresses(), "the old CNAME works for ever");
    assert_eq!(fleet.plan(&[Wish::RollBack { fqdn: www() }]).refusals, [Refusal::NoOld(www())]);
    fleet.assert_valid();
}

#[test]
fn contract_6_nobody_rolls_back_to_what_is_dead() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    fleet.run(&[Wish::Move { fqdn: www() }]);
    fleet.set_state("a1", NodeState::Dead);
    let plan = fleet.plan(&[Wish::RollBack { fqdn: www() }]);
    let expected = "www.example.jp cannot go back: carrier-a node a1 serves no more";
    assert_eq!(plan.refusals[0].to_string(), expected);
}

#[test]
fn contract_7_changed_sources_are_announced_before_a_move() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    let plan = fleet.plan(&[Wish::Move { fqdn: www() }]);
    let notice = Notice::new(&plan.decisions[0], &fleet.inventory);
    let texts = |addresses: &std::collections::BTreeSet<IpAddr>| -> Vec<String> {
        addresses.iter().map(IpAddr::to_string).collect()
    };
    assert_eq!(texts(&notice.sources), ["198.51.100.2", "198.51.100.12"]);
    assert_eq!(texts(&notice.sources_new), ["198.51.100.2", "198.51.100.12"]);
    assert!(notice.text(Language::En).contains("let these new ones through beforehand: 198.51.100.2 "));
    assert_eq!(notice.causes.into_iter().collect::<Vec<_>>(), [Cause::Maintenance]);
    let plan = fleet.serve(&sheet(WWW, 1_001));
    let notice = Notice::new(&plan.decisions[0], &fleet.inventory);
    assert!(notice.sources_new.is_empty(), "in place nothing new");
}
