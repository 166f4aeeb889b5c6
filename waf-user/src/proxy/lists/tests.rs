//! Allow, block and bans by scope, prefix and expiry -> pass or the ban that refuses.

use super::*;
use crate::model::BanOrigin;

const DESTINATION: &str = "10.1.0.10";

fn ban(scope: &str, prefix: &str, expires_s: Option<u32>) -> Ban {
    let scope = scope_of(scope);
    let expires = expires_s.map(|seconds| Mono(0).plus_s(seconds));
    let prefix = prefix.parse().expect("a prefix");
    Ban { scope, prefix, origin: BanOrigin::Operator, tenant: None, expires }
}

fn scope_of(text: &str) -> BanScope {
    match text {
        "node" => BanScope::Node,
        number if number.parse::<u64>().is_ok() => {
            BanScope::Tenant(TenantId::new(number.parse().expect("digits")).expect("a tenant"))
        }
        address => BanScope::Address(address.parse().expect("an address")),
    }
}

/// name, allow, bans with expiry, source, tenant, whether it passes at second 100.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str, Option<u32>)],
    &'static str,
    Option<u64>,
    bool,
);

#[test]
fn order_of_decisions() {
    let rows: &[Row] = &[
        ("nothing listed", &[], &[], "192.0.2.1", Some(1), true),
        ("node ban", &[], &[("node", "192.0.2.1/32", None)], "192.0.2.1", None, false),
        ("node ban, neighbour", &[], &[("node", "192.0.2.1/32", None)], "192.0.2.2", None, true),
        ("prefix", &[], &[("node", "192.0.2.0/24", None)], "192.0.2.255", None, false),
        ("past the prefix", &[], &[("node", "192.0.2.0/24", None)], "192.0.3.0", None, true),
        ("everything", &[], &[("node", "0.0.0.0/0", None)], "203.0.113.9", None, false),
        ("v4 default does not cover v6", &[], &[("node", "0.0.0.0/0", None)], "2001:db8::1", None, true),
        ("mapped source", &[], &[("node", "192.0.2.1/32", None)], "::ffff:192.0.2.1", None, false),
        ("mapped prefix", &[], &[("node", "::ffff:192.0.2.0/120", None)], "192.0.2.7", None, false),
        ("host bits in the prefix", &[], &[("node", "192.0.2.77/24", None)], "192.0.2.1", None, false),
        ("v6 /64", &[], &[("node", "2001:db8:0:1::/64", None)], "2001:db8:0:1:ffff::1", None, false),
        ("v6 other /64", &[], &[("node", "2001:db8:0:1::/64", None)], "2001:db8:0:2::1", None, true),
        ("live until 101", &[], &[("node", "192.0.2.1/32", Some(101))], "192.0.2.1", None, false),
        ("expired at 100", &[], &[("node", "192.0.2.1/32", Some(100))], "192.0.2.1", None, true),
        (
            "expired narrow entry hides no broader one",
            &[],
            &[("node", "192.0.2.1/32", Some(50)), ("node", "192.0.2.0/24", None)],
            "192.0.2.1",
            None,
            false,
        ),
        (
            "of two the longer counts, first given",
            &[],
            &[("node", "192.0.2.1/32", None), ("node", "192.0.2.1/32", Some(50))],
            "192.0.2.1",
            None,
            false,
        ),
        (
            "of two the longer counts, last given",
            &[],
            &[("node", "192.0.2.1/32", Some(50)), ("node", "192.0.2.1/32", Some(200))],
            "192.0.2.1",
            None,
            false,
        ),
        ("tenant ban", &[], &[("1", "192.0.2.1/32", None)], "192.0.2.1", Some(1), false),
        ("tenant ban, other tenant", &[], &[("1", "192.0.2.1/32", None)], "192.0.2.1", Some(2), true),
        ("tenant ban, tenant unknown", &[], &[("1", "192.0.2.1/32", None)], "192.0.2.1", None, true),
        ("address ban", &[], &[(DESTINATION, "192.0.2.1/32", None)], "192.0.2.1", None, false),
        ("ban of another address", &[], &[("10.1.0.11", "192.0.2.1/32", None)], "192.0.2.1", None, true),
        (
            "tenant's allow skips tenant ban",
            &[("1", "192.0.2.0/24")],
            &[("1", "192.0.2.1/32", None)],
            "192.0.2.1",
            Some(1),
            true,
        ),
        (
            "tenant's allow skips address ban",
            &[("1", "192.0.2.0/24")],
            &[(DESTINATION, "192.0.2.1/32", None)],
            "192.0.2.1",
            Some(1),
            true,
        ),
        (
            "tenant's allow does not skip node ban",
            &[("1", "192.0.2.0/24")],
            &[("node", "192.0.2.1/32", None)],
            "192.0.2.1",
            Some(1),
            false,
        ),
        (
            "another tenant's allow is nothing",
            &[("2", "192.0.2.0/24")],
            &[("1", "192.0.2.1/32", None)],
            "192.0.2.1",
            Some(1),
            false,
        ),
        (
            "node's allow skips all",
            &[("node", "192.0.2.1/32")],
            &[("node", "192.0.2.0/24", None), ("1", "192.0.2.1/32", None)],
            "192.0.2.1",
            Some(1),
            true,
        ),
        (
            "broad allow before narrow ban",
            &[("node", "192.0.2.0/24")],
            &[("node", "192.0.2.1/32", None)],
            "192.0.2.1",
            None,
            true,
        ),
    ];
    for (name, allow, bans, source, tenant, passes) in rows {
        let allow = allow.iter().map(|(scope, prefix)| (scope_of(scope), prefix.parse().expect("a prefix")));
        let bans = bans.iter().map(|(scope, prefix, expires)| ban(scope, prefix, *expires));
        let lists = Lists::new(allow, bans);
        let tenant = tenant.map(|number| TenantId::new(number).expect("a tenant"));
        let source = source.parse().expect("an address");
        let destination = DESTINATION.parse().expect("an address");
        let verdict = lists.verdict(source, destination, tenant, Mono(0).plus_s(100));
        assert_eq!(verdict == ListVerdict::Pass, *passes, "{name}: {verdict:?}");
    }
}
