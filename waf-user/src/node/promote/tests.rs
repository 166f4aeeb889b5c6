//! Bans that exist, the one that comes, and the scope it gets.

use super::*;
use crate::node::tests::{id, net, parse, tenant};

const SHARED: &str = "10.0.0.1";

fn ban(tenant: u32, origin: BanOrigin, expires_s: u32) -> Ban {
    Ban {
        scope: BanScope::Tenant(id(tenant)),
        prefix: net("192.0.2.1"),
        origin,
        tenant: Some(id(tenant)),
        expires: Some(Mono::default().plus_s(expires_s)),
    }
}

#[test]
fn a_source_bad_for_two_tenants_of_an_address_is_banned_for_the_address() {
    let address = BanScope::Address(SHARED.parse().unwrap());
    let one = BanScope::Tenant(id(1));
    let block = "mode = \"block\"";
    let table = [
        ("the first tenant", block, vec![], one),
        ("a second", block, vec![ban(2, BanOrigin::Rules, 100)], address),
        ("the second's ran out", block, vec![ban(2, BanOrigin::Rules, 50)], one),
        ("the second's is an operator's", block, vec![ban(2, BanOrigin::Operator, 100)], one),
        ("a tenant of another address", block, vec![ban(4, BanOrigin::Rules, 100)], one),
        ("the same tenant again", block, vec![ban(1, BanOrigin::Rules, 100)], one),
        ("the third only detects", "mode = \"detect\"", vec![ban(2, BanOrigin::Rules, 100)], one),
        ("the third has no rules", "mode = \"off\"", vec![ban(2, BanOrigin::Rules, 100)], one),
    ];
    for (name, third, existing, expected) in table {
        let text = format!(
            "[node]\nname = \"a\"\ncarrier = \"c\"\n{}{}{}{}",
            tenant(1, SHARED, ""),
            tenant(2, SHARED, ""),
            tenant(3, SHARED, third),
            tenant(4, "10.0.0.4", ""),
        );
        let config = parse(&text).1;
        let plan = ServicePlan::new(&config, 1, &[]);
        let mut bans = Bans::default();
        existing.into_iter().for_each(|ban| bans.add(ban).unwrap());
        let now = Mono::default().plus_s(60);
        let new = ban(1, BanOrigin::Rules, 200);
        let promoted = promoted(new.clone(), SHARED.parse().unwrap(), (&config, &plan, &bans), now);
        assert_eq!(promoted, Ban { scope: expected, ..new }, "{name}");
    }
}
