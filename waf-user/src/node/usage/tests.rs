//! What was counted is told once, over the time it was counted in, whatever becomes of the tenants meanwhile.

use std::sync::Arc;

use super::*;
use crate::node::tests::{configured, id, parse, tenant};

const SECOND: u64 = 1_000_000_000;

fn at(seconds: u64) -> Mono {
    Mono(seconds * SECOND)
}

fn used(allowance: &Allowance, requests: usize, bytes: usize) {
    for _ in 0..requests {
        allowance.requests.admit(at(0));
    }
    allowance.passed(bytes);
}

#[test]
fn each_interval_is_told_once() {
    let (_, config) = configured("");
    let allowances = Allowances::default();
    let held: Vec<Arc<Allowance>> = (1..=3).map(|number| allowances.of(id(number))).collect();
    let mut told = Used::new(at(0));
    used(&held[0], 7, 900);
    held[1].handshakes.admit(at(0));
    assert_eq!(told.take(&config, &allowances, at(4)).1, [], "not due yet");
    let (interval_ms, usage) = told.take(&config, &allowances, at(6));
    let one = TenantUsage { tenant: 1, requests: 7, bytes: 900, ..TenantUsage::default() };
    let two = TenantUsage { tenant: 2, handshakes: 1, ..TenantUsage::default() };
    assert_eq!((interval_ms, usage), (6_000, vec![one, two]));
    assert_eq!(told.take(&config, &allowances, at(7)).1, [], "told already");
    held[0].requests.limit(Some(0));
    used(&held[0], 5, 0);
    let refused = TenantUsage { tenant: 1, limited: 5, ..TenantUsage::default() };
    assert_eq!(told.take(&config, &allowances, at(11)), (5_000, vec![refused]));
}

#[test]
fn a_tenant_that_comes_back_is_counted_from_nothing() {
    let (_, both) = parse(&format!(
        "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\n{}{}",
        tenant(1, "10.1.0.10", ""),
        tenant(2, "10.1.0.11", "")
    ));
    let allowances = Allowances::default();
    let first = allowances.of(id(1));
    let mut told = Used::new(at(0));
    used(&first, 100, 0);
    assert_eq!(told.take(&both, &allowances, at(5)).1[0].requests, 100);
    drop(first);
    let again = allowances.of(id(1));
    used(&again, 3, 0);
    assert_eq!(told.take(&both, &allowances, at(10)).1[0].requests, 3);
}

#[test]
fn many_tenants_are_told_of_in_turns() {
    const MANY: u32 = TENANTS_OF_ONE_MAX as u32 + 10;
    let (_, mut config) = configured("");
    let pattern = config.tenants.remove(0);
    config.tenants =
        (1..=MANY).map(|number| crate::config::TenantConfig { id: id(number), ..pattern.clone() }).collect();
    let allowances = Allowances::default();
    let held: Vec<_> = (1..=MANY).map(|number| allowances.of(id(number))).collect();
    held.iter().for_each(|allowance| used(allowance, 1, 1));
    let mut told = Used::new(at(0));
    let mut seen = Vec::new();
    for (second, expected) in [(5, TENANTS_OF_ONE_MAX), (6, 10), (7, 0)] {
        let (interval_ms, usage) = told.take(&config, &allowances, at(second));
        assert_eq!((interval_ms, usage.len()), (5_000, expected));
        seen.extend(usage.into_iter().map(|it| it.tenant));
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(1..=MANY));
}
