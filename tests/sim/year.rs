//! Days of a fleet: customers change their sheets, nodes are retired and die, carriers fail. Every day is looked at from
//! the outside, and what it took is counted.

use std::collections::{BTreeMap, VecDeque};

use waf_user::control::capacity::{LINE_PERCENT, Measure};
use waf_user::control::change::Change;
use waf_user::control::environment::State;
use waf_user::control::inventory::{Inventory, NodeState};
use waf_user::control::plan::{Action, Plan, Wish, evacuate, plan};
use waf_user::control::sheet::{Sheet, Tls};
use waf_user::model::{Fqdn, NodeName, TenantId, Wall};

use super::random::Random;
use super::world::{BEGIN, nodes, policy, serve, sheet, site_name, turn_tls_on};

/// Days that an old environment serves on after a Move.
const OLD_DAYS: u64 = 3;
/// What control.md allows: moves a day, in thousandths of the environments.
const MOVES_PER_MILLE_MAX: usize = 5;
/// A large site: room in smaller pieces is of no use to it.
const LARGE_REQUESTS_S: u64 = 5_000;

/// What a run was asked for.
pub struct Setting {
    pub seed: u64,
    pub sites: u64,
    pub nodes: usize,
    pub days: u64,
}

/// What came of it.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    pub actions: BTreeMap<&'static str, usize>,
    pub refusals: usize,
    pub moves_by_customers: usize,
    pub moves_by_nodes: usize,
    /// In one day, all causes, in millionths of the environments; mean over all days and the worst one.
    pub moves_ppm_mean: usize,
    pub moves_ppm_max: usize,
    /// Days a site was served from one carrier only, because the node at the other was dead and its Move had to wait.
    pub site_days_on_one_carrier: usize,
    /// Most that a node ever used, with one carrier lost at the peak of all, in percent of its capacity.
    pub used_percent_max: u64,
    pub carriers_lost: usize,
    /// Reserved of what may be reserved (80 % of capacity), fullest measure, whole fleet, at the end, in percent.
    pub reserved_percent: u64,
    pub fullest_node_percent: u64,
    pub emptiest_node_percent: u64,
    /// Room below the line on nodes that have not enough for one large site, of all room; at the end, in percent.
    pub fragmented_percent: u64,
    pub environments: usize,
    pub on_shared_addresses: usize,
}

struct Year {
    random: Random,
    inventory: Inventory,
    state: State,
    now: Wall,
    site_next: u64,
    served: Vec<Fqdn>,
    moved: VecDeque<(u64, Fqdn)>,
    tenant_last: u32,
    moves_today: usize,
    report: Report,
}

/// Runs it. Panics where a promise is broken.
pub fn run(setting: &Setting) -> (Report, State) {
    let mut random = Random(setting.seed);
    let inventory = Inventory::new(nodes(setting.nodes, &mut random)).expect("a fleet without mistakes");
    let mut year = Year {
        random,
        inventory,
        state: State::default(),
        now: BEGIN,
        site_next: 0,
        served: Vec::new(),
        moved: VecDeque::new(),
        tenant_last: 0,
        moves_today: 0,
        report: Report::default(),
    };
    (0..setting.sites).for_each(|_| year.open());
    year.look("the first day");
    let mut moves_ppm = 0;
    for day in 1..=setting.days {
        year.day(day);
        let ppm = year.moves_today * 1_000_000 / year.state.sites().len();
        year.report.moves_ppm_max = year.report.moves_ppm_max.max(ppm);
        moves_ppm += ppm;
    }
    year.report.moves_ppm_mean = moves_ppm / usize::try_from(setting.days).expect("days of a year");
    year.finish();
    (year.report, year.state)
}

impl Year {
    fn day(&mut self, day: u64) {
        self.now = Wall(BEGIN.0 + day * 86_400_000);
        self.moves_today = 0;
        let hundredth = (self.served.len() / 100).max(1);
        while self.moved.front().is_some_and(|(moved, _)| moved + OLD_DAYS <= day) {
            let Some((_, fqdn)) = self.moved.pop_front() else { break };
            if self.state.sites().get(&fqdn).is_some_and(|site| site.old.is_some()) {
                self.run(day, Wish::Close { fqdn });
            }
        }
        (0..hundredth).for_each(|_| self.change_sheet(day));
        for _ in 0..hundredth.div_ceil(10) {
            self.open();
            let at = self.random.index(self.served.len());
            let fqdn = self.served.swap_remove(at);
            self.run(day, Wish::Remove { fqdn });
        }
        self.change_nodes(day);
        self.empty_nodes(day);
        self.look(&format!("day {day}"));
        if day % 45 == 20 {
            self.lose_a_carrier();
        }
    }

    /// The changes that customers really make.
    fn change_sheet(&mut self, day: u64) {
        let at = self.random.index(self.served.len());
        let Some(before) = self.sheet_of(&self.served[at]) else { return };
        let mut sheet = before;
        match self.random.between(0, 100) {
            0..60 => {
                // Up by half as often as down by a third: the fleet neither grows nor shrinks of itself.
                let (times, by) = if self.random.percent(50) { (3, 2) } else { (2, 3) };
                let scale = |rate: u64| (rate * times / by).clamp(1, 200_000);
                sheet.peak.requests_s = scale(sheet.peak.requests_s);
                sheet.peak.mbit_s = scale(sheet.peak.mbit_s);
                if sheet.tls != Tls::None {
                    sheet.peak.handshakes_s = scale(sheet.peak.handshakes_s);
                }
            }
            60..75 if sheet.tls != Tls::None => {
                sheet.tls = Tls::None;
                sheet.peak.handshakes_s = 0;
            }
            60..95 => turn_tls_on(&mut sheet, &mut self.random),
            _ => sheet.options.paranoia = Some(2),
        }
        self.run(day, serve(sheet));
    }

    fn sheet_of(&self, fqdn: &Fqdn) -> Option<Sheet> {
        let site = self.state.sites().get(fqdn)?;
        Some((*self.state.environment(site.current)?.sheet).clone())
    }

    fn open(&mut self) {
        let fqdn = site_name(self.site_next);
        self.site_next += 1;
        let sheet = sheet(fqdn.clone(), &mut self.random);
        let before = self.report.refusals;
        self.run(0, serve(sheet));
        if self.report.refusals == before {
            self.served.push(fqdn);
        }
    }

    /// One node in a month is retired, every second month one dies; emptied, it comes back as a new machine.
    fn change_nodes(&mut self, day: u64) {
        let mut nodes = self.inventory.nodes().to_vec();
        for node in &mut nodes {
            let empty = self.state.load(&node.name).is_none_or(|load| load.tenants.is_empty());
            if node.state != NodeState::Active && empty {
                node.state = NodeState::Active;
            }
        }
        let at = self.random.index(nodes.len());
        match day % 60 {
            10 | 40 => nodes[at].state = NodeState::Draining,
            25 => nodes[at].state = NodeState::Dead,
            _ => {}
        }
        self.inventory = Inventory::new(nodes).expect("the same nodes as before");
    }

    /// What of the day's moves customers have not used.
    fn empty_nodes(&mut self, day: u64) {
        let allowed = (self.served.len() * MOVES_PER_MILLE_MAX / 1000).max(1);
        let wishes = evacuate(&self.inventory, &self.state, allowed.saturating_sub(self.moves_today));
        for wish in wishes {
            let before = self.moves_today;
            self.run(day, wish);
            self.report.moves_by_nodes += self.moves_today - before;
        }
    }

    fn run(&mut self, day: u64, wish: Wish) {
        let by_node = matches!(wish, Wish::Move { .. });
        let plan = plan(&[wish], &self.inventory, &self.state, &policy(), self.now);
        self.report.refusals += plan.refusals.len();
        self.count(day, &plan, by_node);
        self.state.apply(&plan).expect("planned against this very state");
    }

    fn count(&mut self, day: u64, plan: &Plan, by_node: bool) {
        for decision in &plan.decisions {
            let word = match decision.action {
                Action::Open => "open",
                Action::Change(Change::Same) => "same",
                Action::Change(Change::InPlace) => "in place",
                Action::Change(Change::Move) => "move",
                Action::RollBack => "roll back",
                Action::Close => "close",
                Action::Remove => "remove",
            };
            *self.report.actions.entry(word).or_default() += 1;
            if decision.action == Action::Change(Change::Move) {
                self.moves_today += 1;
                self.report.moves_by_customers += usize::from(!by_node);
                self.moved.push_back((day, decision.fqdn.clone()));
            }
            let fresh = matches!(decision.action, Action::Open | Action::Change(Change::Move));
            if let Some(after) = decision.after.as_ref().filter(|_| fresh) {
                assert!(after.tenant.number() > self.tenant_last, "{} was used before", after.tenant);
                self.tenant_last = after.tenant.number();
            }
        }
    }

    /// From the outside: no promise is broken today.
    fn look(&mut self, when: &str) {
        let found = self.state.violations(&self.inventory);
        assert!(found.is_empty(), "{when}: {:?}", &found[..found.len().min(5)]);
        let allowed = (self.served.len() * MOVES_PER_MILLE_MAX / 1000).max(1);
        assert!(self.moves_today <= allowed, "{when}: {} moves, {allowed} allowed", self.moves_today);
        let dead = self.inventory.nodes().iter().filter(|node| node.state == NodeState::Dead);
        let waiting = dead.filter_map(|node| self.state.load(&node.name)).map(|load| load.tenants.len());
        self.report.site_days_on_one_carrier += waiting.sum::<usize>();
    }

    /// All traffic of each environment, at its peak, goes to its other carrier: no node may use more than the line.
    fn lose_a_carrier(&mut self) {
        let lost = self.random.index(self.inventory.carriers().len());
        let lost = self.inventory.carriers()[lost].clone();
        let mut used: BTreeMap<(&NodeName, Measure), u64> = BTreeMap::new();
        let serving: Vec<TenantId> = self.state.sites().values().map(|site| site.current).collect();
        for environment in serving.iter().filter_map(|tenant| self.state.environment(*tenant)) {
            let left: Vec<_> = environment.placements.iter().filter(|it| it.carrier != lost).collect();
            assert!(!left.is_empty(), "{} is gone with {lost}", environment.sheet.fqdn);
            for placement in &left {
                for measure in Measure::ALL {
                    let part = environment.sheet.peak.of(measure).div_ceil(left.len() as u64);
                    *used.entry((&placement.node, measure)).or_default() += part;
                }
            }
        }
        for ((node, measure), used) in used {
            let capacity = self.inventory.node(node).map_or(1, |node| node.capacity.of(measure));
            assert!(used * 100 <= capacity * LINE_PERCENT, "{node}: {used} of {capacity} {measure}");
            self.report.used_percent_max = self.report.used_percent_max.max((used * 100).div_ceil(capacity));
        }
        self.report.carriers_lost += 1;
    }

    fn finish(&mut self) {
        let (mut reserved, mut line, mut room, mut splinters) = (0, 0, 0, 0);
        let report = &mut self.report;
        report.emptiest_node_percent = 100;
        for node in self.inventory.nodes() {
            let limit = node.capacity.below_line();
            let load = self.state.load(&node.name).map(|load| load.reserved).unwrap_or_default();
            let percent = load.fullness(limit) / 10_000;
            report.fullest_node_percent = report.fullest_node_percent.max(percent);
            report.emptiest_node_percent = report.emptiest_node_percent.min(percent);
            reserved += load.requests_s;
            line += limit.requests_s;
            let free = limit.requests_s - load.requests_s;
            room += free;
            splinters += if free < LARGE_REQUESTS_S { free } else { 0 };
        }
        report.reserved_percent = reserved * 100 / line;
        report.fragmented_percent = splinters * 100 / room.max(1);
        report.environments = self.state.environments().len();
        let shared = waf_user::control::environment::Strength::Shared;
        report.on_shared_addresses =
            self.state.environments().values().filter(|it| it.strength() == shared).count();
    }
}
