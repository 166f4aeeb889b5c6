//! Whatever fleet, whatever wishes, in whatever order: the promises hold after every plan.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::control::capacity::LINE_PERCENT;
use crate::control::inventory::Region;
use crate::model::Carrier;

/// Names of sites; few, so that the same one comes again.
const SITES: usize = 12;

#[derive(Clone, Debug)]
enum Event {
    Serve { site: usize, requests_s: u64, mbit_s: u64, handshakes_s: u64, abroad: bool },
    Move(usize),
    RollBack(usize),
    Close(usize),
    Remove(usize),
    Node { at: usize, state: NodeState },
    Evacuate,
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let one = (0..4_u8, any::<bool>(), 100..3_000_u64, 0..6_u32, any::<bool>());
    proptest::collection::vec(one, 2..14).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        rows.map(|(at, (carrier, abroad, capacity, pool_bits, has_ipv6))| {
            let carrier = format!("carrier-{}", char::from(b'a' + carrier));
            Node {
                name: NodeName::new(&format!("n{at}")).unwrap(),
                carrier: Carrier::new(&carrier).unwrap(),
                region: Region("east".into()),
                residency: Residency::new(if abroad && at % 3 == 0 { "de" } else { "jp" }).unwrap(),
                capacity: Rates { requests_s: capacity, mbit_s: 2_000, handshakes_s: 1_000 },
                ipv4: pool(&[&format!("10.{at}.0.0/{}", 32 - pool_bits)]),
                ipv6: has_ipv6.then(|| format!("2001:db8:{at}::/64").parse().unwrap()),
                sources: vec!["198.51.100.1".parse().unwrap()],
                state: NodeState::Active,
            }
        })
        .collect()
    })
}

fn event() -> impl Strategy<Value = Event> {
    let state =
        prop_oneof![3 => Just(NodeState::Active), 1 => Just(NodeState::Draining), 1 => Just(NodeState::Dead)];
    let peak = (1..3_000_u64, 1..800_u64, 0..300_u64);
    prop_oneof![
        8 => (0..SITES, peak, prop::bool::weighted(0.1)).prop_map(
            |(site, (requests_s, mbit_s, handshakes_s), abroad)| {
                Event::Serve { site, requests_s, mbit_s, handshakes_s, abroad }
            }
        ),
        1 => (0..SITES).prop_map(Event::Move),
        1 => (0..SITES).prop_map(Event::RollBack),
        3 => (0..SITES).prop_map(Event::Close),
        1 => (0..SITES).prop_map(Event::Remove),
        1 => (0..14_usize, state).prop_map(|(at, state)| Event::Node { at, state }),
        1 => Just(Event::Evacuate),
    ]
}

fn site_name(site: usize) -> Fqdn {
    Fqdn::new(&format!("site{site}.example.jp")).unwrap()
}

fn wish(event: &Event, fleet: &Fleet) -> Vec<Wish> {
    match *event {
        Event::Serve { site, requests_s, mbit_s, handshakes_s, abroad } => {
            let mut sheet = sheet(site_name(site).as_str(), 1);
            sheet.peak = Rates { requests_s, mbit_s, handshakes_s };
            sheet.residency = Residency::new(if abroad { "de" } else { "jp" }).unwrap();
            vec![serve(&sheet)]
        }
        Event::Move(site) => vec![Wish::Move { fqdn: site_name(site) }],
        Event::RollBack(site) => vec![Wish::RollBack { fqdn: site_name(site) }],
        Event::Close(site) => vec![Wish::Close { fqdn: site_name(site) }],
        Event::Remove(site) => vec![Wish::Remove { fqdn: site_name(site) }],
        Event::Evacuate => evacuate(&fleet.inventory, &fleet.state, 3),
        Event::Node { .. } => Vec::new(),
    }
}

/// The figures again, by other code than the planner's: could every placement stay and take the new sheet?
fn could_stay(fleet: &Fleet, before: &Environment, sheet: &Sheet) -> bool {
    let parts = before.placements.len() as u64 / 2;
    before.placements.iter().all(|placement| {
        let Some(node) = fleet.inventory.node(&placement.node) else { return false };
        let all = fleet.state.environments().values();
        let fits = |measure: Measure| {
            let others: u64 = (all.clone().filter(|other| other.tenant != before.tenant))
                .flat_map(|other| &other.placements)
                .filter(|other| other.node == node.name)
                .map(|other| other.reserved.of(measure))
                .sum();
            let (need, has) = (sheet.peak.of(measure).div_ceil(parts), placement.reserved.of(measure));
            need <= has || (others + need) * 100 <= node.capacity.of(measure) * LINE_PERCENT
        };
        let grows =
            Measure::ALL.iter().any(|m| sheet.peak.of(*m).div_ceil(parts) > placement.reserved.of(*m));
        let state = match node.state {
            NodeState::Active => true,
            NodeState::Draining => !grows,
            NodeState::Dead => false,
        };
        state && node.residency == sheet.residency && Measure::ALL.into_iter().all(fits)
    })
}

/// What every plan must be, looked at one decision at a time. `alone`: the plan is for one site.
fn assert_decisions(fleet: &Fleet, plan: &Plan, alone: bool) {
    for decision in &plan.decisions {
        let (before, after) = (decision.before.as_deref(), decision.after.as_deref());
        match decision.action {
            Action::Change(Change::Move) => {
                let (before, after) = (before.unwrap(), after.unwrap());
                assert!(before.tenant < after.tenant && before.name != after.name);
                let asked = decision
                    .reasons
                    .iter()
                    .any(|it| matches!(it, Reason::Asked | Reason::NodeDraining(_) | Reason::NodeDead(_)));
                assert!(asked || !alone || !could_stay(fleet, before, &after.sheet), "{plan}");
            }
            Action::Change(_) => {
                let (before, after) = (before.unwrap(), after.unwrap());
                assert_eq!((before.tenant, &before.name), (after.tenant, &after.name));
                assert_eq!(before.addresses(), after.addresses());
                assert!(!alone || could_stay(fleet, before, &after.sheet), "{plan}");
            }
            _ => {}
        }
        if let (Action::Open | Action::Change(Change::Move), Some(after)) = (decision.action, after) {
            let states = after.placements.iter().map(|it| fleet.inventory.node(&it.node).unwrap().state);
            assert!(states.into_iter().all(|state| state == NodeState::Active), "{plan}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_keeps_every_promise(nodes in nodes(), events in proptest::collection::vec(event(), 1..40)) {
        let mut fleet = Fleet::new(nodes);
        let (mut numbers, mut names) = (BTreeSet::new(), BTreeSet::new());
        for event in &events {
            if let Event::Node { at, state } = event {
                fleet.set_state(&format!("n{at}"), *state);
            }
            let wishes = wish(event, &fleet);
            let plan = fleet.plan(&wishes);
            assert_decisions(&fleet, &plan, wishes.len() == 1);
            fleet.state.apply(&plan).unwrap();
            fleet.assert_valid();
            for step in &plan.steps {
                if let Step::Open(environment) = step {
                    prop_assert!(numbers.insert(environment.tenant), "{} again", environment.tenant);
                    prop_assert!(names.insert(environment.name.clone()), "{} again", environment.name);
                }
            }
            // What was planned is so, and nothing more is to be done.
            if let ([wish @ Wish::Serve { .. }], true) = (wishes.as_slice(), plan.refusals.is_empty()) {
                let again = fleet.plan(std::slice::from_ref(wish));
                prop_assert_eq!(action(&again), Some(Action::Change(Change::Same)), "{}", again);
                prop_assert!(again.steps.is_empty() && again.refusals.is_empty());
            }
        }
    }

    #[test]
    fn order_makes_no_difference(
        nodes in nodes(),
        events in proptest::collection::vec(event(), 1..30),
        more in proptest::collection::vec(event(), 1..10),
        shuffle in any::<u64>(),
    ) {
        let mut fleet = Fleet::new(nodes.clone());
        for event in &events {
            let wishes = wish(event, &fleet);
            fleet.run(&wishes);
        }
        let mut wishes: Vec<Wish> = more.iter().flat_map(|event| wish(event, &fleet)).collect();
        let plan = fleet.plan(&wishes);
        let at = |len: usize| usize::try_from(shuffle).unwrap_or(0) % len.max(1);
        let (mut nodes, middle) = (nodes, at(wishes.len()));
        nodes.reverse();
        let node_middle = at(nodes.len());
        nodes.rotate_left(node_middle);
        wishes.reverse();
        wishes.rotate_left(middle);
        let mut other = Fleet::new(nodes);
        other.state = State::new(
            fleet.state.revision(),
            fleet.state.tenant_next(),
            fleet.state.sites().values().rev().cloned(),
            fleet.state.environments().values().rev().map(|it| (**it).clone()),
        );
        let again = other.plan(&wishes);
        prop_assert_eq!(&again.steps, &plan.steps);
        prop_assert_eq!(again.to_string(), plan.to_string());
        fleet.state.apply(&plan).unwrap();
        fleet.assert_valid();
    }
}
