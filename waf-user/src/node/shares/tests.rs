//! Shares as sums: properties of the pure function, and intervals with counts and clocks of the test's own.

use proptest::prelude::*;

use super::*;
use crate::node::tests::{id, parse, tenant};

const SECOND: u64 = 1_000_000_000;

fn claims(rows: &[(u64, u64)]) -> Vec<Claim> {
    rows.iter().map(|(demand, contract)| Claim { demand: *demand, contract: *contract }).collect()
}

#[test]
fn what_is_above_contracts_is_shared_evenly() {
    // Name, (demand, contract), capacity, shares.
    type Row = (&'static str, &'static [(u64, u64)], u64, &'static [u64]);
    let rows: [Row; 8] = [
        ("enough", &[(50, 10), (50, 10)], 100, &[50, 50]),
        ("one beyond", &[(50, 10), (51, 10)], 100, &[50, 50]),
        ("gross excess of one", &[(10, 20), (900, 20), (50, 60)], 100, &[10, 40, 50]),
        ("two that want more", &[(10, 20), (900, 20), (500, 30)], 100, &[10, 40, 50]),
        ("one wants little more", &[(25, 20), (900, 20), (900, 20)], 100, &[25, 37, 37]),
        ("no contracts", &[(10, 0), (900, 0), (900, 0)], 100, &[10, 45, 45]),
        ("contracts beyond capacity", &[(80, 70), (80, 70)], 100, &[70, 70]),
        ("no capacity", &[(1, 0)], 0, &[0]),
    ];
    for (name, rows, capacity, expected) in rows {
        let claims = claims(rows);
        let level = level(&claims, capacity).unwrap_or(u64::MAX);
        let shares: Vec<u64> = claims.iter().map(|claim| claim.share(level)).collect();
        assert_eq!(shares, expected, "{name}");
    }
}

#[test]
fn sums_beyond_64_bits_do_no_harm() {
    let claims = claims(&[(u64::MAX, u64::MAX), (u64::MAX, 0), (u64::MAX, 1)]);
    assert_eq!(level(&claims, 1_000), Some(0));
}

/// Max-min as it is defined, found by halving: the greatest level at which all shares fit.
fn reference(claims: &[Claim], capacity: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1e12_f64);
    for _ in 0..200 {
        let level = f64::midpoint(low, high);
        let taken: f64 =
            claims.iter().map(|claim| (claim.demand as f64).min(claim.contract as f64 + level)).sum();
        if taken <= capacity { low = level } else { high = level }
    }
    low
}

proptest! {
    #[test]
    fn shares_fit_keep_contracts_and_are_fair(
        rows in prop::collection::vec((0_u64..100_000_000, 0_u64..20_000_000), 1..200),
        capacity in 1_000_000_u64..1_000_000_000,
    ) {
        let claims = claims(&rows);
        let assured: u64 = claims.iter().map(|claim| claim.assured()).sum();
        let demand: u64 = claims.iter().map(|claim| claim.demand).sum();
        let found = level(&claims, capacity);
        prop_assert_eq!(found.is_none(), demand <= capacity);
        let level = found.unwrap_or(u64::MAX);
        let shares: Vec<u64> = claims.iter().map(|claim| claim.share(level)).collect();
        // Contracts that were sold beyond the capacity are kept all the same.
        prop_assert!(shares.iter().sum::<u64>() <= capacity.max(assured));
        for (claim, share) in claims.iter().zip(&shares) {
            prop_assert!(*share >= claim.demand.min(claim.contract) && *share <= claim.demand);
        }
        if found.is_some() && assured < capacity {
            let fair = reference(&claims, capacity as f64);
            for (claim, share) in claims.iter().zip(&shares) {
                let fair = (claim.demand as f64).min(claim.contract as f64 + fair);
                prop_assert!((*share as f64 - fair).abs() <= fair * 0.1 + 1.0, "{share} of {fair}");
            }
        }
    }
}

fn configured(capacity: &str, contracts: &[&str]) -> NodeConfig {
    let tenants: String = (1..)
        .zip(contracts)
        .map(|(number, contract)| tenant(number, "10.1.0.10", &format!("contract = {contract}")))
        .collect();
    let head = format!("[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\ncapacity = {capacity}\n");
    parse(&format!("{head}{tenants}")).1
}

/// Sends at these rates for that many seconds, half a second an interval; how many passed in the last two.
fn run(config: &NodeConfig, rates: &[u64], bytes_each: usize, seconds: u64) -> Vec<u64> {
    let allowances = Allowances::default();
    let held: Vec<_> = config.tenants.iter().map(|tenant| allowances.of(tenant.id)).collect();
    let mut shares = Shares::new(Mono(0));
    let mut passed = vec![0; rates.len()];
    let from = SECOND * (seconds - 2);
    for millisecond in 0..seconds * 1_000 {
        let now = Mono(millisecond * 1_000_000);
        if millisecond % 500 == 0 {
            shares.renew(config, &allowances, now);
        }
        for ((allowance, rate), passed) in held.iter().zip(rates).zip(&mut passed) {
            for _ in 0..rate / 1_000 {
                if allowance.requests.admit(now) {
                    allowance.passed(bytes_each);
                    *passed += u64::from(now.0 >= from);
                }
            }
        }
    }
    passed.iter().map(|count| count / 2).collect()
}

#[track_caller]
fn assert_near(found: &[u64], expected: &[u64]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.abs_diff(*expected) * 10 <= *expected, "{found} is not within 10 % of {expected}");
    }
}

#[test]
fn intervals_hold_the_shares() {
    let contract = "{ requests_s = 2000 }";
    let three = [contract; 3];
    let by_requests = configured("{ requests_s = 10000 }", &three);
    let by_bytes = configured("{ mbit_s = 80 }", &["{ mbit_s = 16 }"; 3]);
    let free = configured("{}", &three);
    // Name, configuration, requests a second, bytes of each, requests that pass a second.
    let rows = [
        ("enough", &by_requests, [1_000, 2_000, 5_000], 100, [1_000, 2_000, 5_000]),
        ("one floods", &by_requests, [1_000, 2_000, 50_000], 100, [1_000, 2_000, 7_000]),
        ("two flood", &by_requests, [1_000, 20_000, 50_000], 100, [1_000, 4_500, 4_500]),
        ("all flood", &by_requests, [20_000, 20_000, 50_000], 100, [3_333, 3_333, 3_333]),
        ("bandwidth", &by_bytes, [1_000, 2_000, 50_000], 1_000, [1_000, 2_000, 7_000]),
        ("no capacity known", &free, [1_000, 2_000, 50_000], 100, [1_000, 2_000, 50_000]),
    ];
    for (name, config, rates, bytes_each, expected) in rows {
        let passed = run(config, &rates, bytes_each, 10);
        println!("{name}: {passed:?}");
        assert_near(&passed, &expected);
    }
}

#[test]
fn handshakes_are_held_apart_from_requests() {
    let config = configured("{ handshakes_s = 100 }", &["{ handshakes_s = 20 }"; 2]);
    let allowances = Allowances::default();
    let (one, other) = (allowances.of(id(1)), allowances.of(id(2)));
    let mut shares = Shares::new(Mono(0));
    for half in 0..8_u64 {
        let start = half * SECOND / 2;
        shares.renew(&config, &allowances, Mono(start));
        for at in 0..500 {
            one.handshakes.admit(Mono(start + at * 1_000_000));
        }
    }
    assert!(one.handshakes.is_limited() && other.handshakes.is_limited());
    assert!(!one.requests.is_limited());
    // The mean forgets by halves: 1,000 a second are under 100 after four of them, and there is enough for all again.
    for half in 8..13 {
        shares.renew(&config, &allowances, Mono(half * SECOND / 2));
    }
    assert!(!one.handshakes.is_limited());
}

#[test]
fn a_capacity_taken_away_frees_all() {
    let limited = configured("{ requests_s = 1000 }", &["{}"]);
    let free = configured("{}", &["{}"]);
    let allowances = Allowances::default();
    let allowance = allowances.of(id(1));
    let mut shares = Shares::new(Mono(0));
    for second in 0..4 {
        shares.renew(&limited, &allowances, Mono(second * SECOND));
        for _ in 0..9_000 {
            allowance.requests.admit(Mono(second * SECOND));
        }
    }
    assert!(allowance.requests.is_limited());
    shares.renew(&free, &allowances, Mono(4 * SECOND));
    assert!(!allowance.requests.is_limited());
}

#[test]
fn an_allowance_lives_as_long_as_its_site() {
    let allowances = Allowances::default();
    let first = allowances.of(id(1));
    first.passed(7);
    assert_eq!(allowances.of(id(1)).bytes(), 7);
    drop(first);
    assert!(allowances.get(id(1)).is_none());
    assert_eq!(allowances.of(id(1)).bytes(), 0);
}
