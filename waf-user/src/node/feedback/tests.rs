//! Requests as (moment, how many, refused), and the ban they make.

use std::net::Ipv4Addr;

use super::*;
use crate::node::tests::{id, net, parse, tenant};

const SECOND: u64 = 1_000_000_000;

/// A node with tenants 1 (block), 2 (detect, same address) and 3 (block, own address).
fn feedback(ban: &str) -> Feedback {
    let text = format!(
        "[node]\nname = \"a\"\ncarrier = \"c\"\n[ban]\n{ban}\n{}{}{}",
        tenant(1, "10.0.0.1", ""),
        tenant(2, "10.0.0.1", "mode = \"detect\""),
        tenant(3, "10.0.0.3", ""),
    );
    Feedback::new(&parse(&text).1)
}

fn seen(tenant: u32, source: &str, at_ms: u64, refused: bool) -> Observation {
    let destination = if tenant == 3 { "10.0.0.3" } else { "10.0.0.1" };
    Observation {
        tenant: id(tenant),
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        at: Mono(100 * SECOND + at_ms * 1_000_000),
        refused,
    }
}

/// Milliseconds, how many, refused.
type Requests = (u64, u32, bool);

/// Feeds (milliseconds, how many, refused) and tells at which refusal, if any, the ban came.
fn banned_after(ban: &str, requests: &[Requests]) -> Option<u32> {
    let mut feedback = feedback(ban);
    let mut refusals = 0;
    for (at_ms, count, refused) in requests {
        for _ in 0..*count {
            refusals += u32::from(*refused);
            if feedback.observe(&seen(1, "192.0.2.1", *at_ms, *refused)).is_some() {
                return Some(refusals);
            }
        }
    }
    None
}

#[test]
fn refusals_and_their_share_make_a_ban() {
    let policy = "refused = 10\nratio = 0.5\nwindow_s = 10";
    let table: [(&str, &str, &[Requests], Option<u32>); 11] = [
        ("one short", policy, &[(0, 9, true)], None),
        ("just enough", policy, &[(0, 10, true)], Some(10)),
        ("clean requests only", policy, &[(0, 1000, false)], None),
        ("share just reached", policy, &[(0, 10, false), (0, 10, true)], Some(10)),
        ("share just missed", policy, &[(0, 11, false), (0, 10, true)], None),
        ("share reached late", policy, &[(0, 11, false), (0, 11, true)], Some(11)),
        ("spread over the window", policy, &[(0, 5, true), (8_999, 5, true)], Some(10)),
        ("spread over more", policy, &[(0, 5, true), (10_000, 5, true)], None),
        ("old clean requests are forgotten", policy, &[(0, 50, false), (10_000, 10, true)], Some(10)),
        ("any share", "refused = 3\nratio = 0", &[(0, 500, false), (0, 3, true)], Some(3)),
        ("the first one", "refused = 1\nratio = 1", &[(0, 1, true)], Some(1)),
    ];
    for (name, policy, requests, expected) in table {
        assert_eq!(banned_after(policy, requests), expected, "{name}");
    }
}

#[test]
fn a_ban_has_the_policys_scope_unless_it_would_reach_a_tenant_that_does_not_block() {
    let address = |text: &str| BanScope::Address(text.parse().unwrap());
    let table = [
        ("tenant", 1, BanScope::Tenant(id(1))),
        ("address", 1, BanScope::Tenant(id(1))),
        ("address", 3, address("10.0.0.3")),
        ("node", 3, BanScope::Tenant(id(3))),
    ];
    for (scope, tenant, expected) in table {
        let mut feedback = feedback(&format!("refused = 1\nscope = \"{scope}\"\nttl_s = 60"));
        let ban = feedback.observe(&seen(tenant, "192.0.2.1", 0, true)).unwrap();
        assert_eq!(ban.scope, expected, "{scope} for tenant {tenant}");
        assert_eq!(ban.origin, BanOrigin::Rules);
        assert_eq!(ban.expires, Some(Mono(160 * SECOND)));
    }
    let text = format!(
        "[node]\nname = \"a\"\ncarrier = \"c\"\n[ban]\nrefused = 1\nscope = \"node\"\n{}",
        tenant(1, "10.0.0.1", ""),
    );
    let mut all_block = Feedback::new(&parse(&text).1);
    assert_eq!(all_block.observe(&seen(1, "192.0.2.1", 0, true)).unwrap().scope, BanScope::Node);
}

#[test]
fn a_detect_tenant_bans_nobody() {
    let mut feedback = feedback("refused = 1");
    for _ in 0..100 {
        assert_eq!(feedback.observe(&seen(2, "192.0.2.1", 0, true)), None);
    }
    assert_eq!(feedback.sources(), 0);
}

#[test]
fn ipv6_sources_count_by_their_64() {
    let mut feedback = feedback("refused = 2");
    assert_eq!(feedback.observe(&seen(1, "2001:db8:0:1::1", 0, true)), None);
    assert_eq!(feedback.observe(&seen(1, "2001:db8:0:2::1", 0, true)), None, "another /64");
    let ban = feedback.observe(&seen(1, "2001:db8:0:1:ffff::9", 0, true)).unwrap();
    assert_eq!(ban.prefix, net("2001:db8:0:1::/64"));
}

#[test]
fn the_table_is_bounded_and_recovers() {
    let mut feedback = feedback("refused = 2");
    let from = |number: u32, at_ms, refused| {
        let source = IpAddr::from(Ipv4Addr::from(0x0b00_0000 + number)).to_string();
        seen(1, &source, at_ms, refused)
    };
    let half = SOURCES_MAX as u32 / 2;
    for number in 0..half + 5 {
        feedback.observe(&from(number, 0, false));
    }
    assert_eq!(feedback.sources(), half as usize, "clean sources fill half of it");
    assert_eq!(feedback.take_lost(), 0, "and are no loss");
    for number in half..2 * half + 5 {
        feedback.observe(&from(number, 0, true));
    }
    assert_eq!(feedback.sources(), SOURCES_MAX);
    assert_eq!(feedback.take_lost(), 5);
    assert_eq!(feedback.observe(&from(9_000_000, 20_000, true)), None);
    assert_eq!(feedback.sources(), 1, "what is a window old makes room");
    assert!(feedback.observe(&from(9_000_000, 20_000, true)).is_some());
    assert_eq!(feedback.sources(), 0, "a banned source starts anew");
}

#[test]
fn a_new_configuration_goes_on_counting_whom_it_may_ban() {
    let configured = |ban: &str, mode: &str| {
        let tenants = [tenant(1, "10.0.0.1", mode), tenant(3, "10.0.0.3", "")].concat();
        parse(&format!("[node]\nname = \"a\"\ncarrier = \"c\"\n[ban]\n{ban}\n{tenants}")).1
    };
    let block = "mode = \"block\"";
    let table = [
        ("nothing changes", "refused = 3", block, true),
        ("fewer refusals do", "refused = 2", block, true),
        ("another window", "refused = 3\nwindow_s = 20", block, false),
        ("the tenant only detects now", "refused = 3", "mode = \"detect\"", false),
    ];
    for (name, ban, mode, expected) in table {
        let mut feedback = Feedback::new(&configured("refused = 3", block));
        for at_ms in 0..2 {
            assert_eq!(feedback.observe(&seen(1, "192.0.2.1", at_ms, true)), None);
        }
        feedback.configure(&configured(ban, mode));
        let banned = feedback.observe(&seen(1, "192.0.2.1", 3, true)).is_some();
        assert_eq!(banned, expected, "{name}");
    }
}
