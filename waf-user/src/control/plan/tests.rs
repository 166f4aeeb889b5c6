//! Plans for a small fleet, decision by decision; properties in `tests/`.

mod contract;
mod properties;

use super::*;
use crate::config::OriginUrl;
use crate::control::inventory::tests::{pool, six_nodes};
use crate::control::inventory::{Node, NodeState};
use crate::control::sheet::{Options, Tls};
use crate::model::{Mode, NodeName};

pub const NOW: Wall = Wall(1_795_564_800_000);

pub fn policy() -> Policy {
    Policy { zone: Fqdn::new("edge.example.net").unwrap(), salt: 0x5eed }
}

pub fn customer() -> Customer {
    Customer::new("acme").unwrap()
}

/// A plain site of so many requests a second; a tenth as many megabits.
pub fn sheet(fqdn: &str, requests_s: u64) -> Sheet {
    Sheet {
        fqdn: Fqdn::new(fqdn).unwrap(),
        tls: Tls::None,
        origins: vec![OriginUrl::parse("http://203.0.113.9").unwrap()],
        peak: Rates { requests_s, mbit_s: requests_s / 10 + 1, handshakes_s: 0 },
        residency: Residency::JP,
        options: Options::default(),
    }
}

/// An inventory with what is served on it.
pub struct Fleet {
    pub inventory: Inventory,
    pub state: State,
}

impl Fleet {
    pub fn new(nodes: Vec<Node>) -> Self {
        Self { inventory: Inventory::new(nodes).unwrap(), state: State::default() }
    }

    /// The fleet with some nodes altered.
    pub fn alter(&mut self, alter: impl Fn(&mut Node)) {
        let mut nodes = self.inventory.nodes().to_vec();
        nodes.iter_mut().for_each(alter);
        self.inventory = Inventory::new(nodes).unwrap();
    }

    pub fn set_state(&mut self, name: &str, state: NodeState) {
        self.alter(|node| {
            if node.name.as_str() == name {
                node.state = state;
            }
        });
    }

    pub fn plan(&self, wishes: &[Wish]) -> Plan {
        plan(wishes, &self.inventory, &self.state, &policy(), NOW)
    }

    /// Plans and applies.
    pub fn run(&mut self, wishes: &[Wish]) -> Plan {
        let plan = self.plan(wishes);
        self.state.apply(&plan).unwrap();
        plan
    }

    pub fn serve(&mut self, sheet: &Sheet) -> Plan {
        self.run(&[serve(sheet)])
    }

    pub fn environment(&self, fqdn: &str) -> Arc<Environment> {
        let site = &self.state.sites()[&Fqdn::new(fqdn).unwrap()];
        Arc::clone(self.state.environment(site.current).unwrap())
    }

    pub fn assert_valid(&self) {
        let found: Vec<String> =
            self.state.violations(&self.inventory).iter().map(|it| it.to_string()).collect();
        assert_eq!(found, Vec::<String>::new());
    }
}

pub fn serve(sheet: &Sheet) -> Wish {
    Wish::Serve { customer: customer(), sheet: Arc::new(sheet.clone()) }
}

pub fn action(plan: &Plan) -> Option<Action> {
    plan.decisions.first().map(|decision| decision.action)
}

pub fn nodes_of(environment: &Environment) -> Vec<&str> {
    environment.placements.iter().map(|placement| placement.node.as_str()).collect()
}

const WWW: &str = "www.example.jp";

fn www() -> Fqdn {
    Fqdn::new(WWW).unwrap()
}

#[test]
fn neighbours_keep_headroom() {
    let mut fleet = Fleet::new(six_nodes());
    for (fqdn, expected) in
        [("1.jp0", ["a1", "b1"]), ("2.jp0", ["a2", "b2"]), ("3.jp0", ["a3", "b3"]), ("4.jp0", ["a1", "b1"])]
    {
        fleet.serve(&sheet(fqdn, 1_000));
        assert_eq!(nodes_of(&fleet.environment(fqdn)), expected, "{fqdn}");
    }
    fleet.serve(&sheet("5.jp0", 10));
    assert_eq!(nodes_of(&fleet.environment("5.jp0")), ["a2", "b2"]);
    fleet.assert_valid();
}

#[test]
fn a_plan_of_yesterday_is_refused() {
    let mut fleet = Fleet::new(six_nodes());
    let plan = fleet.plan(&[serve(&sheet(WWW, 1))]);
    let before = fleet.state.clone();
    fleet.state.set_revision(Revision(7));
    let error = fleet.state.apply(&plan).unwrap_err();
    assert_eq!(error.to_string(), "the plan was made against revision 0, but it is 7 by now: plan again");
    fleet.state.set_revision(Revision(0));
    assert_eq!(fleet.state, before, "nothing was changed");
    fleet.state.apply(&plan).unwrap();
    assert_eq!(fleet.state.revision(), Revision(1));
    assert!(fleet.state.apply(&plan).is_err(), "twice");
}

#[test]
fn steps_may_be_repeated() {
    let mut fleet = Fleet::new(six_nodes());
    let wishes = [serve(&sheet(WWW, 9_000)), serve(&sheet("b.example.jp", 100))];
    let plan = fleet.run(&wishes);
    let applied = fleet.state.clone();
    fleet.state.set_revision(plan.revision);
    fleet.state.apply(&plan).unwrap();
    assert_eq!(fleet.state, applied);
}

#[test]
fn wishes_that_cannot_be_met_are_refused_and_the_others_planned() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    let stranger = Customer::new("stranger").unwrap();
    let other = |fqdn: &str| Fqdn::new(fqdn).unwrap();
    let wishes = [
        Wish::Serve { customer: stranger, sheet: Arc::new(sheet(WWW, 1)) },
        serve(&sheet("twice.jp0", 1)),
        serve(&sheet("twice.jp0", 2)),
        serve(&sheet("huge.jp0", 1_000_000)),
        serve(&sheet("fine.jp0", 10)),
        Wish::Remove { fqdn: other("none.jp0") },
        Wish::Move { fqdn: other("none2.jp0") },
    ];
    let plan = fleet.plan(&wishes);
    let refusals: Vec<String> = plan.refusals.iter().map(Refusal::to_string).collect();
    let huge = "huge.jp0: no room at two carriers in jp\
        ; carrier-a node a2: 0 of 10,000 requests/s reserved, 125,000 more do not fit under the 80 % line (8,000)\
        ; carrier-a node a2: 0 of 10,000 Mbit/s reserved, 12,501 more do not fit under the 80 % line (8,000)\
        ; carrier-b node b2: 0 of 10,000 requests/s reserved, 125,000 more do not fit under the 80 % line (8,000)\
        ; carrier-b node b2: 0 of 10,000 Mbit/s reserved, 12,501 more do not fit under the 80 % line (8,000)";
    let expected = [
        "twice.jp0 is in this plan more than once: plan one after the other",
        "none.jp0 is not served here",
        "www.example.jp is another customer's",
        "none2.jp0 is not served here",
        huge,
    ];
    assert_eq!(refusals, expected);
    assert_eq!(plan.decisions.len(), 1);
    assert_eq!(plan.decisions[0].fqdn.as_str(), "fine.jp0");
    fleet.state.apply(&plan).unwrap();
    fleet.assert_valid();
}

#[test]
fn the_pool_gives_own_addresses_first_then_one_for_all() {
    let mut nodes = six_nodes();
    nodes.retain(|node| node.name.as_str().ends_with('1'));
    nodes.iter_mut().for_each(|node| {
        node.ipv4 = pool(&[&format!("192.0.2.{}/31", if node.name.as_str() == "a1" { 0 } else { 2 })])
    });
    let mut fleet = Fleet::new(nodes);
    let plan =
        fleet.run(&[serve(&sheet("1.jp0", 100)), serve(&sheet("2.jp0", 99)), serve(&sheet("3.jp0", 98))]);
    let strengths: Vec<_> = plan.decisions.iter().map(|it| it.after.as_ref().unwrap().strength()).collect();
    use crate::control::environment::Strength::{Own, Shared};
    assert_eq!(strengths, [Own, Shared, Shared]);
    assert!(plan.to_string().contains("(shared: kernel strength per site only once"), "{plan}");
    let (two, three) = (fleet.environment("2.jp0"), fleet.environment("3.jp0"));
    assert_eq!(two.placements[0].ipv4, three.placements[0].ipv4);
    assert_ne!(two.placements[0].ipv6, three.placements[0].ipv6);
    fleet.assert_valid();
    // What is given back is given again, but not within the plan that frees it.
    let wishes = [Wish::Remove { fqdn: Fqdn::new("1.jp0").unwrap() }, serve(&sheet("4.jp0", 1))];
    fleet.run(&wishes);
    assert_eq!(fleet.environment("4.jp0").strength(), Shared);
    fleet.serve(&sheet("5.jp0", 1));
    assert_eq!(fleet.environment("5.jp0").strength(), Own);
    fleet.assert_valid();
    // A site that shares cannot move to the same shared address.
    let plan = fleet.run(&[Wish::Move { fqdn: Fqdn::new("2.jp0").unwrap() }]);
    assert!(matches!(plan.refusals[0], Refusal::NoRoom { .. }), "{plan}");
}

#[test]
fn a_second_move_waits_for_the_end_of_the_first() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    let wish = Wish::Move { fqdn: www() };
    fleet.run(std::slice::from_ref(&wish));
    let plan = fleet.plan(std::slice::from_ref(&wish));
    assert_eq!(plan.refusals, [Refusal::MoveUnderWay(www())]);
    fleet.run(&[Wish::Close { fqdn: www() }]);
    let plan = fleet.run(&[wish, Wish::Close { fqdn: Fqdn::new("x.jp0").unwrap() }]);
    assert_eq!(action(&plan), Some(Action::Change(Change::Move)));
    assert_eq!(plan.refusals, [Refusal::Unknown(Fqdn::new("x.jp0").unwrap())]);
    fleet.assert_valid();
}

#[test]
fn numbers_and_names_are_never_used_again() {
    let mut fleet = Fleet::new(six_nodes());
    let mut seen = std::collections::BTreeSet::new();
    for round in 1..=40_u32 {
        fleet.serve(&sheet(WWW, 10));
        let environment = fleet.environment(WWW);
        assert_eq!(environment.tenant.number(), round);
        assert!(seen.insert(environment.name.clone()), "{}", environment.name);
        fleet.run(&[Wish::Remove { fqdn: www() }]);
        assert!(fleet.state.environments().is_empty() && fleet.state.sites().is_empty());
    }
    assert_eq!(fleet.state.load(&NodeName::new("a1").unwrap()).unwrap().reserved, Rates::default());
}

#[test]
fn the_oldest_of_many_names_is_answered_no_longer() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 10));
    let first = fleet.environment(WWW).name.clone();
    for _ in 0..63 {
        fleet.run(&[Wish::Move { fqdn: www() }]);
        fleet.run(&[Wish::Close { fqdn: www() }]);
    }
    assert!(!fleet.state.answers(&first).is_empty());
    fleet.run(&[Wish::Move { fqdn: www() }]);
    assert!(fleet.state.answers(&first).is_empty());
    assert_eq!(fleet.state.sites()[&www()].names.len(), 64);
}

#[test]
fn nodes_to_be_emptied_are_emptied_a_few_at_a_time() {
    let mut fleet = Fleet::new(six_nodes());
    let sheets: Vec<Wish> = (0..9).map(|at| serve(&sheet(&format!("{at}.jp0"), 100))).collect();
    fleet.run(&sheets);
    fleet.set_state("a1", NodeState::Draining);
    fleet.set_state("b2", NodeState::Dead);
    let mut moves = Vec::new();
    loop {
        let wishes = evacuate(&fleet.inventory, &fleet.state, 2);
        assert!(wishes.len() <= 2);
        if wishes.is_empty() {
            break;
        }
        let plan = fleet.run(&wishes);
        assert!(plan.refusals.is_empty(), "{plan}");
        moves.push(wishes.len());
        let close: Vec<Wish> = wishes.iter().map(|it| Wish::Close { fqdn: it.fqdn().clone() }).collect();
        fleet.run(&close);
    }
    assert_eq!(moves, [2, 2, 2]);
    for node in ["a1", "b2"] {
        assert!(fleet.state.load(&NodeName::new(node).unwrap()).unwrap().tenants.is_empty(), "{node}");
    }
    fleet.assert_valid();
}

#[test]
fn the_old_environment_follows_what_the_customer_changes() {
    let mut fleet = Fleet::new(six_nodes());
    fleet.serve(&sheet(WWW, 1_000));
    fleet.run(&[Wish::Move { fqdn: www() }]);
    let mut changed = sheet(WWW, 2_000);
    changed.options.mode = Mode::Detect;
    assert_eq!(action(&fleet.serve(&changed)), Some(Action::Change(Change::InPlace)));
    let site = &fleet.state.sites()[&www()];
    let old = fleet.state.environment(site.old.unwrap()).unwrap();
    assert_eq!(old.sheet.options.mode, Mode::Detect);
    assert_eq!(old.sheet.peak.requests_s, 1_000);
    assert_eq!(old.generation.0, 2);
    assert_eq!(action(&fleet.plan(&[serve(&changed)])), Some(Action::Change(Change::Same)));
    fleet.assert_valid();
}
