//! Allow and block lists in the kernel: scopes, their order, prefixes, expiry, reports, and what bpftool shows of them.

use std::net::SocketAddr;

use aya::maps::{Array, Map, MapData};
use ipnet::IpNet;
use waf_common::block::{Reason, SCOPE_NODE, scope_address};
use waf_common::names::MAP_BLOCK_HINT;
use waf_common::outcome::Outcome;
use waf_tests::frames::{Frame, SYN};
use waf_user::kernel::{AllowEntry, BlockEntry, Maps};
use waf_user::model::Mono;

use super::fixture::{BLOCK4, Fixture, OWN, OWN_ID, OWN6, OWN6_ID, SHARED, SHARED_ID, TENANT, formatted, ip};

const NEVER: u32 = 0;
const HOUR_S: u32 = 3600;

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

fn entry(scope: u32, prefix: &str, expires_s: u32) -> BlockEntry {
    BlockEntry { scope, prefix: net(prefix), reason: Reason::Ban, tenant: TENANT, expires_s }
}

fn syn(source: &str, destination: &str) -> Vec<u8> {
    Frame::tcp((ip(source), 40_000), (ip(destination), 80), SYN).build()
}

/// Replaces both lists.
fn set(maps: &Maps, blocks: &[BlockEntry], allows: &[(u32, &str)]) {
    maps.replace_blocks(Reason::Ban, blocks).expect("block list");
    let allows: Vec<AllowEntry> =
        allows.iter().map(|(scope, prefix)| AllowEntry { scope: *scope, prefix: net(prefix) }).collect();
    maps.replace_allow(&allows).expect("allow list");
}

/// Name, block entries, allow entries (scope and prefix), destination, what happens.
type Row<'a> = (&'a str, &'a [BlockEntry], &'a [(u32, &'a str)], &'a str, Outcome);

#[test]
fn scopes_come_in_their_order() {
    let Some(fixture) = Fixture::active() else { return };
    let maps = fixture.maps();
    let source = "198.51.100.7";
    let node = entry(SCOPE_NODE, "198.51.100.7/32", NEVER);
    let address = entry(scope_address(OWN_ID), "198.51.100.0/24", NEVER);
    let tenant = entry(TENANT, "198.51.0.0/16", NEVER);
    let rows: &[Row] = &[
        ("nothing", &[], &[], OWN, Outcome::PassService),
        ("node", &[node], &[], OWN, Outcome::DropNode),
        ("address", &[address], &[], OWN, Outcome::DropAddress),
        ("tenant", &[tenant], &[], OWN, Outcome::DropTenant),
        ("all: node", &[node, address, tenant], &[], OWN, Outcome::DropNode),
        ("address and tenant: address", &[address, tenant], &[], OWN, Outcome::DropAddress),
        ("address, at another address", &[address], &[], SHARED, Outcome::PassService),
        ("tenant, at a shared address", &[tenant], &[], SHARED, Outcome::PassService),
        ("tenant, another tenant's", &[entry(9, "198.51.0.0/16", NEVER)], &[], OWN, Outcome::PassService),
        (
            "a shared address's",
            &[entry(scope_address(SHARED_ID), "198.51.100.7/32", NEVER)],
            &[],
            SHARED,
            Outcome::DropAddress,
        ),
        ("node, allowed by the node", &[node], &[(SCOPE_NODE, "198.51.100.0/24")], OWN, Outcome::PassService),
        ("node, allowed by the tenant", &[node], &[(TENANT, "198.51.100.0/24")], OWN, Outcome::DropNode),
        (
            "address, allowed by the tenant",
            &[address],
            &[(TENANT, "198.51.100.7/32")],
            OWN,
            Outcome::PassService,
        ),
        (
            "tenant, allowed by the tenant",
            &[tenant],
            &[(TENANT, "198.51.100.7/32")],
            OWN,
            Outcome::PassService,
        ),
        ("address, allowed by the node", &[address], &[(SCOPE_NODE, "0.0.0.0/0")], OWN, Outcome::PassService),
        (
            "address, allowed by another tenant",
            &[address],
            &[(9, "198.51.100.7/32")],
            OWN,
            Outcome::DropAddress,
        ),
        ("allow of another source", &[node], &[(SCOPE_NODE, "198.51.100.8/32")], OWN, Outcome::DropNode),
    ];
    for (name, blocks, allows, destination, expected) in rows {
        set(&maps, blocks, allows);
        assert_eq!(fixture.verdict(&syn(source, destination)).0, *expected, "{name}");
    }
}

#[test]
fn prefixes_match_on_both_sides_of_their_edge() {
    let Some(fixture) = Fixture::active() else { return };
    let maps = fixture.maps();
    for (name, prefix, source, destination, blocked) in [
        ("/32 itself", "192.0.2.1/32", "192.0.2.1", OWN, true),
        ("/32 beside", "192.0.2.1/32", "192.0.2.2", OWN, false),
        ("/24 last", "192.0.2.0/24", "192.0.2.255", OWN, true),
        ("/24 after", "192.0.2.0/24", "192.0.3.0", OWN, false),
        ("/0", "0.0.0.0/0", "203.0.113.9", OWN, true),
        ("v6 host", "2001:db8::1/128", "2001:db8::1", OWN6, true),
        ("v6 /64 last", "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", OWN6, true),
        ("v6 /64 after", "2001:db8::/64", "2001:db8:0:1::", OWN6, false),
        ("v6 /0", "::/0", "2001:db8::1", OWN6, true),
        ("mapped prefix, v4 source", "::ffff:192.0.2.0/120", "192.0.2.9", OWN, true),
    ] {
        set(&maps, &[entry(SCOPE_NODE, prefix, NEVER)], &[]);
        let expected = if blocked { Outcome::DropNode } else { Outcome::PassService };
        assert_eq!(fixture.verdict(&syn(source, destination)).0, expected, "{name}");
    }
    set(&maps, &[entry(scope_address(OWN6_ID), "2001:db8::/32", NEVER)], &[]);
    assert_eq!(fixture.verdict(&syn("2001:db8::7", OWN6)).0, Outcome::DropAddress);
}

#[test]
fn expired_entries_do_not_match() {
    let Some(fixture) = Fixture::active() else { return };
    let maps = fixture.maps();
    let now_s = Mono::now().seconds();
    for (name, entries, expected) in [
        ("to come", &[entry(SCOPE_NODE, "192.0.2.1/32", now_s + HOUR_S)][..], Outcome::DropNode),
        ("this second", &[entry(SCOPE_NODE, "192.0.2.1/32", now_s)], Outcome::PassService),
        (
            "expired /32 under a live /24",
            &[entry(SCOPE_NODE, "192.0.2.1/32", now_s), entry(SCOPE_NODE, "192.0.2.0/24", now_s + HOUR_S)],
            Outcome::DropNode,
        ),
    ] {
        set(&maps, entries, &[]);
        assert_eq!(fixture.verdict(&syn("192.0.2.1", OWN)).0, expected, "{name}");
    }
}

#[test]
fn a_ban_covers_pings_and_fragments_but_not_errors() {
    let Some(fixture) = Fixture::active() else { return };
    set(&fixture.maps(), &[entry(SCOPE_NODE, "192.0.2.1/32", NEVER)], &[]);
    let (source, destination) = (ip("192.0.2.1"), ip(OWN));
    let later = Frame::udp((source, 1), (destination, 443), b"data").fragment(8, false);
    for (name, frame, expected) in [
        ("ping", Frame::icmp(source, destination, 8, 0), Outcome::DropNode),
        ("later fragment", later, Outcome::DropNode),
        ("fragmentation needed", Frame::icmp(source, destination, 3, 4), Outcome::PassIcmp),
        ("the host's own", Frame::tcp((source, 1), (ip("10.9.0.1"), 22), SYN), Outcome::PassHost),
    ] {
        assert_eq!(fixture.verdict(&frame.build()).0, expected, "{name}");
    }
}

#[test]
fn a_restarted_node_adopts_bans_and_renews_lists() {
    let Some(fixture) = Fixture::active() else { return };
    let ban = entry(SCOPE_NODE, "192.0.2.1/32", Mono::now().seconds() + HOUR_S);
    let listed = BlockEntry { reason: Reason::List, ..entry(TENANT, "203.0.113.0/24", NEVER) };
    let maps = fixture.maps();
    maps.block(ban).expect("ban");
    maps.replace_blocks(Reason::List, &[listed]).expect("list");
    drop(maps);

    let maps = fixture.maps();
    assert_eq!(maps.blocks(), [ban, listed]);
    maps.replace_blocks(Reason::List, &[]).expect("list");
    assert_eq!(maps.blocks(), [ban]);
    assert!(maps.unblock(SCOPE_NODE, net("192.0.2.1/32")).expect("unblock"));
    assert!(!maps.unblock(SCOPE_NODE, net("192.0.2.1/32")).expect("unblock"), "gone already");
    assert_eq!(fixture.verdict(&syn("192.0.2.1", OWN)).0, Outcome::PassService);
}

#[test]
fn drops_are_reported_with_their_reason() {
    let Some(fixture) = Fixture::active() else { return };
    let maps = fixture.maps();
    let mut reports = maps.take_reports().expect("reports");
    set(&maps, &[entry(TENANT, "192.0.2.0/24", NEVER)], &[]);
    let frame = syn("192.0.2.1", OWN);
    assert_eq!(fixture.verdict(&frame).0, Outcome::DropTenant);
    let report = loop {
        let report = reports.take().expect("a report of the drop");
        if report.outcome == Outcome::DropTenant as u32 {
            break report;
        }
    };
    assert_eq!((report.scope, report.tenant, report.reason), (TENANT, TENANT, Reason::Ban as u32));
    assert_eq!((report.source_port, report.destination_port, report.protocol), (40_000, 80, 6));
    assert_eq!(report.packet_len as usize, frame.len());
    assert_eq!(report.source, waf_common::address::Address::from(ip("192.0.2.1")).octets);
    assert!(report.time_ns > 0 && report.time_ns <= Mono::now().0);
}

#[test]
fn bpftool_prints_field_names() {
    let Some(fixture) = Fixture::active() else { return };
    fixture.maps().block(entry(SCOPE_NODE, "192.0.2.0/23", 77)).expect("ban");
    let dump = fixture.bpftool(BLOCK4);
    let entry = formatted(&dump);
    assert_eq!(entry["key"]["prefix_len"], 32 + 23);
    assert_eq!(entry["key"]["data"]["scope"], 0);
    assert_eq!(entry["key"]["data"]["addr"], serde_json::json!([192, 0, 2, 0]));
    assert_eq!(entry["value"]["expires_s"], 77);
    assert_eq!(entry["value"]["tenant"], TENANT);

    let services = fixture.bpftool("SERVICES");
    assert!(formatted(&services)["key"]["port"].is_u64() && formatted(&services)["value"]["tenant"].is_u64());
    fixture.verdict(&syn("192.0.2.1", "10.1.0.99"));
    let counters = fixture.bpftool("COUNTERS");
    let cpus = formatted(&counters)["values"].as_array().expect("a value per CPU").clone();
    let drops: u64 = cpus.iter().filter_map(|cpu| cpu["value"]["drop_no_service"].as_u64()).sum();
    assert!(drops >= 1, "{counters}");
}

#[test]
fn a_known_flow_brings_its_tenants_lists_to_a_shared_address() {
    let Some(fixture) = Fixture::active() else { return };
    let maps = fixture.maps();
    let (client, service) = ((ip("192.0.2.1"), 40_000), (ip(SHARED), 80));
    let segment = |flags| Frame::tcp(client, service, flags).build();
    let (syn, data) = (segment(SYN), segment(0x18));
    let verdict = |frame: &[u8]| fixture.verdict(frame).0;
    set(&maps, &[entry(TENANT, "192.0.2.0/24", NEVER)], &[]);
    assert_eq!(verdict(&data), Outcome::PassService, "the tenant is not known");
    maps.set_flow(client.into(), service.into(), TENANT).expect("flow");
    assert_eq!(verdict(&data), Outcome::DropTenant);
    assert_eq!(verdict(&syn), Outcome::PassService, "a new connection may be another tenant's");
    let other_port = Frame::tcp((client.0, 40_001), service, 0x18).build();
    assert_eq!(verdict(&other_port), Outcome::PassService, "another connection");
    let rst = segment(0x04);
    assert_eq!(verdict(&rst), Outcome::DropTenant);

    set(&maps, &[entry(scope_address(SHARED_ID), "192.0.2.1/32", NEVER)], &[(TENANT, "192.0.2.1/32")]);
    assert_eq!(verdict(&data), Outcome::PassService, "the flow's tenant allows");
    assert_eq!(verdict(&syn), Outcome::DropAddress, "of a SYN no tenant is known");
    set(&maps, &[entry(TENANT, "192.0.2.0/24", NEVER)], &[]);
    maps.set_flow(client.into(), service.into(), 9).expect("flow");
    assert_eq!(verdict(&data), Outcome::PassService, "another tenant's flow");
    maps.set_flow(client.into(), service.into(), TENANT).expect("flow");
    maps.remove_flow(client.into(), service.into()).expect("close");
    maps.remove_flow(client.into(), service.into()).expect("closed already");
    assert_eq!(verdict(&data), Outcome::PassService, "closed");
    maps.set_flow(client.into(), service.into(), TENANT).expect("flow");
    maps.clear_flows().expect("clear");
    assert_eq!(verdict(&data), Outcome::PassService, "forgotten");
}

#[test]
fn two_processes_give_no_place_of_the_counters_twice() {
    let Some(fixture) = Fixture::active() else { return };
    // In a take-over both have the maps open, and both learn of connections to shared addresses.
    let (old, new) = (fixture.maps(), fixture.maps());
    for (port, maps, tenant) in [(1, &old, 8), (2, &new, 9), (3, &old, 10)] {
        let client = SocketAddr::new(ip("192.0.2.1"), port);
        maps.set_flow(client, SocketAddr::new(ip(SHARED), 80), tenant).expect("flow");
    }
    let counted = fixture.maps().tenant_counters().expect("counters");
    let tenants: Vec<u32> = counted.iter().map(|(tenant, _)| *tenant).collect();
    assert_eq!(tenants, [TENANT, 8, 9, 10]);
}

#[test]
fn the_hint_comes_and_goes_with_the_entries() {
    let Some(fixture) = Fixture::active() else { return };
    let words = || {
        let map = MapData::from_pin(fixture.pins().map(MAP_BLOCK_HINT)).expect("pin");
        let hint: Array<MapData, u64> = Map::Array(map).try_into().expect("array");
        hint.iter().map(|word| word.expect("word")).filter(|word| *word != 0).count()
    };
    let maps = fixture.maps();
    assert_eq!(words(), 0);
    let prefixes =
        ["192.0.2.1/32", "192.0.2.0/25", "192.0.0.0/17", "10.0.0.0/8", "2001:db8::1/128", "2001:db8::/64"];
    let entries: Vec<BlockEntry> = prefixes.iter().map(|prefix| entry(SCOPE_NODE, prefix, NEVER)).collect();
    set(&maps, &entries, &[]);
    assert!(words() >= 2);
    for (name, source, destination, expected) in [
        ("host", "192.0.2.1", OWN, Outcome::DropNode),
        ("/25", "192.0.2.127", OWN, Outcome::DropNode),
        ("/17 beside the /25", "192.0.2.128", OWN, Outcome::DropNode),
        ("/8", "10.255.255.255", OWN, Outcome::DropNode),
        ("none", "192.0.128.1", OWN, Outcome::PassService),
        ("v6 host", "2001:db8::1", OWN6, Outcome::DropNode),
        ("v6 /64", "2001:db8::2", OWN6, Outcome::DropNode),
        ("v6 none", "2001:db8:0:1::1", OWN6, Outcome::PassService),
    ] {
        assert_eq!(fixture.verdict(&syn(source, destination)).0, expected, "{name}");
    }
    // A restarted node adopts the bits with the entries.
    drop(maps);
    let maps = fixture.maps();
    set(&maps, &[], &[]);
    assert_eq!(words(), 0);
}
