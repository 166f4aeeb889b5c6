//! Told by nodes on a clock of the test's own; placed by the planner itself.

use std::sync::Arc;

use super::report::STEADY_MINUTES;
use super::tell::Standing;
use super::*;
use crate::control::capacity::{Measure, Rates};
use crate::control::inventory::tests::six_nodes;
use crate::control::plan::tests::{Fleet, sheet};
use crate::model::Fqdn;
use crate::model::sync::TenantUsage;

const SECOND: u64 = 1_000_000_000;
const SITE: &str = "www.example.jp";

fn at(seconds: u64) -> Mono {
    Mono(seconds * SECOND)
}

fn status(usage: Vec<TenantUsage>, interval_ms: u64) -> Status {
    Status { interval_ms, usage, ..Status::default() }
}

/// One site with a contract of 100 requests/s and 11 Mbit/s on two of six nodes.
struct Lab {
    fleet: Fleet,
    book: UsageBook,
}

impl Lab {
    fn new() -> Self {
        let mut fleet = Fleet::new(six_nodes());
        fleet.serve(&sheet(SITE, 100));
        Self { fleet, book: UsageBook::default() }
    }

    /// Every node that serves the site tells each five seconds of so many requests and bytes a second; from, to: seconds.
    fn tell(&self, from: u64, to: u64, requests_s: u64, bytes_s: u64) {
        let environment = self.fleet.environment(SITE);
        for second in (from..to).step_by(5) {
            let usage = TenantUsage {
                tenant: environment.tenant.number(),
                requests: requests_s * 5,
                bytes: bytes_s * 5,
                ..TenantUsage::default()
            };
            for placement in &environment.placements {
                self.book.told(&placement.node, &status(vec![usage], 5_000), at(second + 5));
            }
        }
    }

    fn seen(&self, second: u64) -> SiteUsage {
        let mut report = self.book.report(&self.fleet.state, at(second));
        assert_eq!(report.len(), 1);
        report.remove(0)
    }
}

#[test]
fn used_reserved_and_contract_stand_side_by_side() {
    let lab = Lab::new();
    assert_eq!(lab.seen(1_000).used, Used::default(), "nothing told");
    lab.tell(0, 900, 30, 125_000);
    let seen = lab.seen(900);
    assert_eq!(seen.contract, Rates { requests_s: 100, mbit_s: 11, handshakes_s: 0 });
    assert_eq!(seen.reserved, seen.contract, "either carrier alone carries the whole peak");
    let used = Used { requests: Milli(60_000), mbit: Milli(2_000), ..Used::default() };
    assert_eq!((seen.used, seen.mean), (used, used), "visitors come to either node");
    assert_eq!(seen.excess, []);
    assert!(seen.placements.len() == 2 && seen.placements.iter().all(|it| it.is_heard));
    assert_eq!(seen.placements[0].used.requests, Milli(30_000));
    let silent = lab.seen(916);
    assert_eq!(silent.used, Used::default(), "silent for longer than nodes are");
    assert!(silent.placements.iter().all(|it| !it.is_heard));
    assert_ne!(silent.mean, Used::default());
}

#[test]
fn excess_is_steady_after_twelve_minutes_of_fifteen() {
    let minute = |count: usize| count as u64 * 60;
    // Name, minutes above the contract, minutes below it after them, whether it is steady then.
    let rows = [
        ("one too few", STEADY_MINUTES - 1, 0, false),
        ("just", STEADY_MINUTES, 0, true),
        ("a pause", MINUTES, 3, true),
        ("a pause too long", MINUTES, 4, false),
    ];
    for (name, above, below, steady) in rows {
        let lab = Lab::new();
        lab.tell(0, minute(above), 51, 0);
        lab.tell(minute(above), minute(above + below), 49, 0);
        let seen = lab.seen(minute(above + below));
        assert_eq!(!seen.excess.is_empty(), steady, "{name}");
    }
    let lab = Lab::new();
    lab.tell(0, minute(MINUTES), 75, 0);
    let excess = Excess { measure: Measure::Requests, minutes: MINUTES, mean: Milli(150_000), contract: 100 };
    assert_eq!(lab.seen(minute(MINUTES)).excess, [excess]);
    let lab = Lab::new();
    lab.tell(0, minute(MINUTES), 50, 0);
    assert_eq!(lab.seen(minute(MINUTES)).excess, [], "the contract itself is no excess");
}

#[test]
fn bandwidth_is_a_measure_of_its_own() {
    let lab = Lab::new();
    lab.tell(0, 900, 1, 1_000_000);
    let excess = lab.seen(900).excess;
    assert_eq!(excess.len(), 1);
    assert_eq!((excess[0].measure, excess[0].mean), (Measure::Bandwidth, Milli(16_000)));
}

/// A node that could not tell for ten minutes tells of all of them at once.
#[test]
fn what_is_told_late_is_no_burst() {
    let lab = Lab::new();
    let environment = lab.fleet.environment(SITE);
    let tenant = environment.tenant.number();
    let late = TenantUsage { tenant, requests: 600 * 90, bytes: 1, ..TenantUsage::default() };
    lab.book.told(&environment.placements[0].node, &status(vec![late], 600_000), at(930));
    let seen = lab.seen(960);
    assert_eq!(seen.excess, []);
    // 90 a second from 330 to 930 s, all of it within the 15 minutes before 960 s.
    assert_eq!(seen.mean.requests, Milli(600 * 90 * 1_000 / 900));
    // Of an interval longer than what is looked back upon, the part within it counts.
    let lab = Lab::new();
    let hour = TenantUsage { tenant, requests: 3_600 * 90, ..TenantUsage::default() };
    lab.book.told(&environment.placements[0].node, &status(vec![hour], 3_600_000), at(3_600));
    assert_eq!(lab.seen(3_600).mean.requests, Milli(90_000));
}

#[test]
fn limited_requests_are_asked_for_and_told_apart() {
    let lab = Lab::new();
    let environment = lab.fleet.environment(SITE);
    let tenant = environment.tenant.number();
    let usage = TenantUsage { tenant, requests: 100, limited: 400, ..TenantUsage::default() };
    lab.book.told(&environment.placements[0].node, &status(vec![usage], 1_000), at(10));
    let used = lab.seen(10).used;
    assert_eq!((used.requests, used.limited), (Milli(500_000), Milli(400_000)));
}

/// A node speaks for its own tenants alone, and fills no memory with others.
#[test]
fn what_a_node_says_of_others_finds_no_place() {
    let lab = Lab::new();
    let environment = lab.fleet.environment(SITE);
    let serving: Vec<&str> = environment.placements.iter().map(|it| it.node.as_str()).collect();
    let others = six_nodes().into_iter().map(|node| node.name);
    let other = others.into_iter().find(|name| !serving.contains(&name.as_str())).unwrap();
    let usage = TenantUsage { tenant: environment.tenant.number(), requests: 9, ..TenantUsage::default() };
    lab.book.told(&other, &status(vec![usage], 1_000), at(10));
    assert_eq!(lab.seen(10).used, Used::default());
    let flood = |from: u32| {
        let tenants =
            (from..from + TENANTS_OF_NODE_MAX as u32 + 1).map(|tenant| TenantUsage { tenant, ..usage });
        status(tenants.collect(), 1_000)
    };
    lab.book.told(&other, &flood(1), at(20));
    assert_eq!(lab.book.lock()[&other].tenants.len(), TENANTS_OF_NODE_MAX);
    // What is old makes room.
    lab.book.told(&other, &flood(1_000_000), at(20 + 17 * 60));
    assert!(lab.book.lock()[&other].tenants.keys().all(|tenant| *tenant >= 1_000_000));
}

#[test]
fn numbers_without_sense_do_no_harm() {
    let lab = Lab::new();
    let environment = lab.fleet.environment(SITE);
    let tenant = environment.tenant.number();
    let huge =
        TenantUsage { tenant, requests: u64::MAX, limited: u64::MAX, bytes: u64::MAX, handshakes: u64::MAX };
    for (second, interval_ms) in [(0, 1), (1, u64::MAX), (2, 0), (3, 1), (0, 5_000), (10_000, 1_000)] {
        lab.book.told(&environment.placements[0].node, &status(vec![huge], interval_ms), at(second));
        lab.seen(second);
    }
}

#[test]
fn the_operator_is_told_once_when_it_begins_and_once_when_it_ends() {
    let lab = Lab::new();
    let mut standing = Standing::default();
    lab.tell(0, 900, 75, 0);
    let sites = lab.book.report(&lab.fleet.state, at(900));
    let (begun, ended) = standing.look(&sites);
    assert_eq!((begun.len(), ended.len()), (1, 0));
    let (begun, ended) = standing.look(&sites);
    assert_eq!((begun.len(), ended.len()), (0, 0));
    let sites = lab.book.report(&lab.fleet.state, at(1_800));
    assert_eq!(standing.look(&sites), (Vec::new(), vec![Fqdn::new(SITE).unwrap()]));
}

#[test]
fn rates_read_well() {
    let rows = [
        (0, "0.0"),
        (49, "0.0"),
        (50, "0.1"),
        (3_449, "3.4"),
        (99_949, "99.9"),
        (100_000, "100"),
        (7_200_499, "7,200"),
    ];
    for (milli, text) in rows {
        assert_eq!(Milli(milli).to_string(), text);
    }
}

/// Several processes' threads may tell at once.
#[test]
fn threads_tell_at_once() {
    let book = Arc::new(UsageBook::default());
    let nodes: Vec<_> = six_nodes().into_iter().map(|node| node.name).collect();
    std::thread::scope(|scope| {
        for node in &nodes {
            let book = Arc::clone(&book);
            scope.spawn(move || {
                for second in 0..100 {
                    let usage = TenantUsage { tenant: 1, requests: 1, ..TenantUsage::default() };
                    book.told(node, &status(vec![usage], 1_000), at(second));
                }
            });
        }
    });
    assert_eq!(book.lock().len(), nodes.len());
}
