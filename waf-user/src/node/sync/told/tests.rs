//! What was told is said again until control says it back, and not for longer than it holds.

use super::*;

const MS: u64 = 1_000_000;

fn ban(scope: BanScope, tenant: u64, expires: Option<u64>) -> Ban {
    let tenant = TenantId::new(tenant).ok();
    let prefix = "203.0.113.1/32".parse().unwrap();
    Ban { scope, prefix, origin: BanOrigin::Rules, tenant, expires: expires.map(|ms| Mono(ms * MS)) }
}

fn tenant(number: u64) -> BanScope {
    BanScope::Tenant(TenantId::new(number).unwrap())
}

fn record(up: &Up) -> &BanRecord {
    let Up::Ban(record) = up else { panic!("{up:?}") };
    record
}

#[test]
fn bans_travel_as_their_tenants() {
    let address = BanScope::Address("10.1.0.10".parse().unwrap());
    for (name, ban, expected) in [
        ("tenant's", ban(tenant(3), 3, Some(5_000)), Some((3, Some(4_000)))),
        ("address's", ban(address, 4, Some(5_000)), Some((4, Some(4_000)))),
        ("node's", ban(BanScope::Node, 5, None), Some((5, None))),
        ("nobody's", ban(address, 0, Some(5_000)), None),
        ("over", ban(tenant(3), 3, Some(1_000)), None),
        ("operator's", Ban { origin: BanOrigin::Operator, ..ban(tenant(3), 3, None) }, None),
        ("fleet's", Ban { origin: BanOrigin::Fleet, ..ban(tenant(3), 3, None) }, None),
    ] {
        let up = Unheard::default().tell(Told::Banned(ban), Mono(1_000 * MS));
        let said = up.as_ref().map(|up| (record(up).scope, record(up).left_ms));
        assert_eq!(said, expected.map(|(tenant, left)| (FleetScope::Tenant(tenant), left)), "{name}");
    }
}

#[test]
fn it_is_said_again_until_it_is_said_back() {
    let mut unheard = Unheard::default();
    let told = Told::Banned(ban(tenant(3), 3, Some(5_000)));
    let first = unheard.tell(told, Mono(0)).unwrap();
    let again = unheard.again(Mono(2_000 * MS));
    assert_eq!((record(&first).left_ms, record(&again[0]).left_ms), (Some(5_000), Some(3_000)));

    let other = BanRecord { scope: FleetScope::Fleet, ..record(&first).clone() };
    unheard.hear(&Bans { put: vec![other], ..Bans::default() });
    assert_eq!(unheard.again(Mono(0)).len(), 1);
    unheard.hear(&Bans { put: vec![record(&first).clone()], ..Bans::default() });
    assert!(unheard.again(Mono(0)).is_empty());

    let lifted = Lifted { scope: FleetScope::Tenant(3), prefix: record(&first).prefix };
    unheard.tell(Told::Lifted(lifted), Mono(0)).unwrap();
    assert_eq!(unheard.again(Mono(0)), [Up::Lift(lifted)]);
    unheard.hear(&Bans { lifted: vec![lifted], ..Bans::default() });
    assert!(unheard.again(Mono(0)).is_empty());

    unheard.tell(Told::Banned(ban(tenant(3), 3, Some(5_000))), Mono(0));
    assert!(unheard.again(Mono(5_000 * MS)).is_empty(), "over");
    assert!(unheard.again(Mono(0)).is_empty(), "and forgotten");
}

#[test]
fn a_lift_names_what_control_knows() {
    let address = BanScope::Address("10.1.0.10".parse().unwrap());
    let fleet = |scope| Ban { origin: BanOrigin::Fleet, tenant: None, ..ban(scope, 3, None) };
    for (name, ban, expected) in [
        ("tenant's", ban(tenant(3), 3, None), Some(FleetScope::Tenant(3))),
        ("promoted", ban(address, 3, None), Some(FleetScope::Tenant(3))),
        ("fleet's", fleet(BanScope::Node), Some(FleetScope::Fleet)),
        ("fleet's, one tenant", fleet(tenant(4)), Some(FleetScope::Tenant(4))),
        ("operator's", Ban { origin: BanOrigin::Operator, ..ban(tenant(3), 3, None) }, None),
    ] {
        let told = lifted(&ban);
        let expected = expected.map(|scope| Told::Lifted(Lifted { scope, prefix: ban.prefix }));
        assert_eq!(told, expected, "{name}");
    }
}
