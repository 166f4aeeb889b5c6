//! Bans from above hold, are replaced by a whole list, are lifted, and spare those that rules must not reach.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::*;
use crate::model::Generation;
use crate::node::enforce::{Force, Next};
use crate::node::protect::Protected;
use crate::node::services::ServicePlan;
use crate::node::tests::{net, parse, tenant};
use crate::proxy::Lists;

fn enforcer() -> Enforcer {
    let text = "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\n";
    let one = tenant(1, "10.1.0.10", "");
    let (settings, config) = parse(&format!("{text}{one}{}", tenant(2, "10.1.0.11", "mode = \"detect\"")));
    let plan = ServicePlan::new(&config, 1, &[]);
    let protected = Protected::new(&settings, &config, &[]);
    Enforcer::new(
        config,
        plan,
        protected,
        Arc::new(ArcSwap::from_pointee(Lists::default())),
        Vec::new(),
        None,
    )
}

fn record(scope: FleetScope, prefix: IpNet, source: BanSource) -> BanRecord {
    BanRecord { scope, prefix, source, left_ms: Some(60_000), reason: String::new() }
}

fn bans(revision: u64, is_whole: bool, put: Vec<BanRecord>) -> Bans {
    Bans { revision, is_whole, is_last: true, put, lifted: Vec::new() }
}

#[test]
fn bans_come_go_and_are_replaced() {
    let (mut enforcer, mut heard, now) = (enforcer(), Heard::default(), Mono(1));
    let (a, b) = (net("203.0.113.1"), net("203.0.113.2"));
    let put = vec![
        record(FleetScope::Fleet, a, BanSource::Operator),
        record(FleetScope::Tenant(1), b, BanSource::Rules),
        record(FleetScope::Tenant(2), b, BanSource::Rules),
        record(FleetScope::Tenant(9), b, BanSource::Operator),
    ];
    assert_eq!(heard.take(bans(5, true, put), &mut enforcer, now), Some(5));
    let keys: Vec<_> = enforcer.bans().list().iter().map(|ban| (ban.scope.to_string(), ban.prefix)).collect();
    assert_eq!(keys, [("node".to_owned(), a), ("tenant:1".to_owned(), b)], "no detecting, no foreign tenant");
    let lifted = vec![Lifted { scope: FleetScope::Fleet, prefix: a }];
    let changes = Bans { lifted, ..bans(6, false, Vec::new()) };
    assert_eq!(heard.take(changes, &mut enforcer, now), Some(6));
    assert_eq!(enforcer.bans().len(), 1);
    let first = Bans { is_last: false, ..bans(7, true, Vec::new()) };
    assert_eq!(heard.take(first, &mut enforcer, now), None, "more is to come");
    assert_eq!(enforcer.bans().len(), 1);
    assert_eq!(heard.take(bans(7, true, Vec::new()), &mut enforcer, now), Some(7));
    assert!(enforcer.bans().is_empty());
}

#[test]
fn a_list_heard_in_part_is_no_revision_to_go_on_from() {
    let (mut enforcer, mut heard, now) = (enforcer(), Heard::default(), Mono(1));
    heard.take(bans(7, true, Vec::new()), &mut enforcer, now);
    assert_eq!(heard.begin(), 7);
    // Of a control process that is behind the one before.
    let a = record(FleetScope::Fleet, net("203.0.113.1"), BanSource::Operator);
    let first = Bans { is_last: false, ..bans(5, true, vec![a]) };
    heard.take(first, &mut enforcer, now);
    assert_eq!(heard.begin(), 0);
}

#[test]
fn bans_of_a_tenant_that_comes_wait_for_it() {
    let (mut enforcer, mut heard, now) = (enforcer(), Heard::default(), Mono(1));
    let (a, b, c) = (net("203.0.113.1"), net("203.0.113.2"), net("203.0.113.3"));
    let early = |prefix| record(FleetScope::Tenant(3), prefix, BanSource::Rules);
    let brief = BanRecord { left_ms: Some(1), ..early(c) };
    heard.take(bans(1, true, vec![early(a), early(b), brief]), &mut enforcer, now);
    let lifted = vec![Lifted { scope: FleetScope::Tenant(3), prefix: b }];
    heard.take(Bans { lifted, ..bans(2, false, Vec::new()) }, &mut enforcer, now);
    heard.settle(false, &mut enforcer, now);
    assert_eq!(heard.begin(), 2);
    assert!(enforcer.bans().is_empty(), "not served yet");

    let text = "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\n";
    let (settings, config) = parse(&format!("{text}{}", tenant(3, "10.1.0.12", "")));
    let (plan, protected) = (ServicePlan::new(&config, 1, &[]), Protected::new(&settings, &config, &[]));
    let next = Next { config, plan, protected, generation: Generation(2) };
    enforcer.replace((&settings, Generation(1)), &settings, next, |_| ()).unwrap();
    heard.settle(true, &mut enforcer, Mono(5_000_000));
    assert_eq!(heard.begin(), 0);
    let prefixes: Vec<_> = enforcer.bans().iter().map(|ban| ban.prefix).collect();
    assert_eq!(prefixes, [a], "neither the lifted one nor the one that is over");
}

#[test]
fn our_own_bans_go_where_control_lifts_them() {
    let (mut enforcer, mut heard, now) = (enforcer(), Heard::default(), Mono(1));
    let own = |scope, prefix| {
        let tenant = TenantId::new(1).ok();
        Ban { scope, prefix, origin: BanOrigin::Rules, tenant, expires: Some(Mono(60_000_000_000)) }
    };
    let one = BanScope::Tenant(TenantId::new(1).unwrap());
    let address = BanScope::Address("10.1.0.10".parse().unwrap());
    let (a, b, c) = (net("203.0.113.1"), net("203.0.113.2"), net("203.0.113.3"));
    for (scope, prefix) in [(one, a), (address, b), (one, c)] {
        enforcer.ban(own(scope, prefix), Force::No).unwrap();
    }
    let said_back = |prefix| record(FleetScope::Tenant(1), prefix, BanSource::Rules);
    heard.take(bans(1, true, vec![said_back(a), said_back(b)]), &mut enforcer, now);
    assert_eq!(enforcer.bans().len(), 4, "the address's is beside the tenant's");

    let lifted = vec![Lifted { scope: FleetScope::Tenant(1), prefix: b }];
    heard.take(Bans { lifted, ..bans(2, false, Vec::new()) }, &mut enforcer, now);
    let left = |enforcer: &Enforcer| -> Vec<_> {
        enforcer.bans().list().iter().map(|ban| (ban.scope, ban.prefix)).collect()
    };
    assert_eq!(left(&enforcer), [(one, a), (one, c)], "the promoted one too");

    heard.begin();
    heard.take(bans(9, true, Vec::new()), &mut enforcer, now);
    assert_eq!(left(&enforcer), [(one, c)], "control never heard of that one");
}

#[test]
fn an_import_of_100_000_fits() {
    let (mut enforcer, mut heard) = (enforcer(), Heard::default());
    let prefix = |n: u32| IpNet::from(std::net::IpAddr::from(std::net::Ipv4Addr::from(0x1400_0000 + n)));
    let put = (0..100_000).map(|n| record(FleetScope::Fleet, prefix(n), BanSource::Import)).collect();
    heard.take(bans(1, true, put), &mut enforcer, Mono(1));
    assert_eq!(enforcer.bans().len(), 100_000);
}
