//! What SERVICES and WORKERS are to hold.

use std::net::IpAddr;

use super::*;
use crate::node::tests::{configured, id, parse, tenant};

fn value_of(services: &[(ServiceKey, ServiceValue)], address: &str, port: u16) -> ServiceValue {
    let key = service_key(address.parse().unwrap(), port, if port == 0 { 0 } else { TCP });
    services.iter().find(|(found, _)| *found == key).unwrap_or_else(|| panic!("no {address}:{port}")).1
}

#[test]
fn a_service_knows_its_tenant_unless_several_share_it() {
    let (_, config) = configured("workers = 2");
    let plan = ServicePlan::new(&config, 2, &[]);
    let services = plan.services();
    let table = [
        ("shared port", "10.1.0.10", 80, 0),
        ("shared address", "10.1.0.10", 0, 0),
        ("own port", "10.1.0.11", 80, 3),
        ("own address", "10.1.0.11", 0, 3),
    ];
    for (name, address, port, expected) in table {
        assert_eq!(value_of(&services, address, port).tenant, expected, "{name}");
    }
    // Without a certificate nothing is served on 443.
    assert_eq!(services.len(), 4);
    assert!(services.iter().all(|(_, value)| value.flags == 0));
    assert!(plan.refusing_services().iter().all(|(_, value)| value.flags == SERVICE_REFUSED));
}

#[test]
fn a_service_has_the_workers_of_all_its_tenants() {
    let text = format!(
        "[node]\nname = \"a\"\ncarrier = \"c\"\n{}{}{}",
        tenant(1, "10.0.0.1", "workers = [2]"),
        tenant(2, "10.0.0.1", "workers = [0]"),
        tenant(3, "10.0.0.2", ""),
    );
    let (_, config) = parse(&text);
    let plan = ServicePlan::new(&config, 3, &[]);
    let services = plan.services();
    let workers = |address| {
        let number = value_of(&services, address, 80).worker_set;
        let (_, set) = plan.worker_sets().into_iter().find(|(id, _)| *id == number).unwrap();
        set.workers[..set.count as usize].to_vec()
    };
    assert_eq!(workers("10.0.0.1"), [0, 2]);
    assert_eq!(workers("10.0.0.2"), [0, 1, 2]);
}

#[test]
fn an_address_keeps_its_number_across_restarts() {
    let first = format!("[node]\nname = \"a\"\ncarrier = \"c\"\n{}", tenant(1, "10.0.0.5", ""));
    let before = ServicePlan::new(&parse(&first).1, 1, &[]);
    // An address that sorts before it is new; without memory it would take number 1.
    let second = format!("{first}{}", tenant(2, "10.0.0.1", ""));
    let after = ServicePlan::new(&parse(&second).1, 1, &before.services());
    let scope = BanScope::Address("10.0.0.5".parse().unwrap());
    assert_eq!(before.scope_number(scope), Some(scope_address(1)));
    assert_eq!(after.scope_number(scope), Some(scope_address(1)));
    let ids: BTreeSet<u32> = after.services().iter().map(|(_, value)| value.address_id).collect();
    assert_eq!(ids, BTreeSet::from([1, 2]));
}

#[test]
fn an_address_does_not_inherit_the_bans_of_one_that_is_gone() {
    let served =
        |address| parse(&format!("[node]\nname = \"a\"\ncarrier = \"c\"\n{}", tenant(1, address, ""))).1;
    let before = ServicePlan::new(&served("10.0.0.5"), 1, &[]);
    let after = ServicePlan::new(&served("10.0.0.6"), 1, &before.services());
    let scope = |address: &str| BanScope::Address(address.parse().unwrap());
    let old = before.scope_number(scope("10.0.0.5")).unwrap();
    assert_eq!(after.scope(old), None);
    assert_ne!(after.scope_number(scope("10.0.0.6")), Some(old));
}

#[test]
fn scopes_and_their_numbers_are_inverse() {
    let (_, config) = configured("");
    let plan = ServicePlan::new(&config, 1, &[]);
    let own: IpAddr = "10.1.0.11".parse().unwrap();
    for scope in [BanScope::Node, BanScope::Tenant(id(2)), BanScope::Address(own)] {
        let number = plan.scope_number(scope).unwrap();
        assert_eq!(plan.scope(number), Some(scope), "{scope}");
    }
    assert_eq!(plan.scope_number(BanScope::Address("10.9.9.9".parse().unwrap())), None);
    assert_eq!(plan.scope(4), None, "a tenant that is gone");
    assert_eq!(plan.scope(scope_address(9)), None, "an address that is gone");
}

#[test]
fn what_a_service_still_names_is_no_other_addresss_and_no_new_sets() {
    let plan = |text: &str, previous: &[(ServiceKey, ServiceValue)]| {
        ServicePlan::new(&parse(&format!("[node]\nname = \"a\"\ncarrier = \"c\"\n{text}")).1, 3, previous)
    };
    let before = plan(&tenant(1, "10.0.0.5", "workers = [0]"), &[]);
    let after = plan(&tenant(2, "10.0.0.6", "workers = [1]"), &before.services());
    let (old, new) = (before.services(), after.services());
    assert_ne!(value_of(&old, "10.0.0.5", 80).address_id, value_of(&new, "10.0.0.6", 80).address_id);
    assert_ne!(value_of(&old, "10.0.0.5", 80).worker_set, value_of(&new, "10.0.0.6", 80).worker_set);
    // Numbers of sets come back once nobody uses them: a node that reloads for years needs no more than twice as many.
    let third = plan(&tenant(2, "10.0.0.6", "workers = [1]"), &new);
    assert_eq!(
        value_of(&third.services(), "10.0.0.6", 80).worker_set,
        value_of(&old, "10.0.0.5", 80).worker_set
    );
}
