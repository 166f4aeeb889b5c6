//! `waf explain-packet`: the way of a frame as the command tells it, on live maps, uncounted.

use std::fs;
use std::process::Output;

use serde_json::Value;
use waf_common::block::{Reason, SCOPE_NODE, scope_address};
use waf_tests::frames::{Frame, SYN};
use waf_user::kernel::{AllowEntry, BlockEntry};
use waf_user::model::Mono;

use super::fixture::{CLIENT4, CLIENT6, Fixture, OWN, OWN_ID, OWN6, SHARED, SHARED_ID, TENANT, UNUSED, ip};

const SOURCE: &str = "198.51.100.7";

fn hex(frame: &[u8]) -> String {
    frame.iter().map(|byte| format!("{byte:02x} ")).collect()
}

fn explain(fixture: &Fixture, words: &[&str]) -> Output {
    let binary = std::env::var_os("WAF_BIN").expect("WAF_BIN");
    let mut command = fixture.node.command(binary);
    command.arg("explain-packet").arg("--config").arg(fixture.directory().join("node.toml")).args(words);
    command.output().expect("waf starts")
}

fn succeed(fixture: &Fixture, words: &[&str]) -> String {
    let output = explain(fixture, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn fail(fixture: &Fixture, words: &[&str]) -> String {
    let output = explain(fixture, words);
    assert!(!output.status.success(), "{words:?} succeeded");
    String::from_utf8(output.stderr).expect("text")
}

fn entry(scope: u32, prefix: &str, expires_s: u32) -> BlockEntry {
    let prefix = prefix.parse().expect("a prefix");
    BlockEntry { scope, prefix, reason: Reason::Ban, tenant: TENANT, expires_s }
}

fn syn(destination: &str) -> Frame {
    Frame::tcp((ip(SOURCE), 40_000), (ip(destination), 80), SYN)
}

#[test]
fn each_decision_is_told_and_none_is_counted() {
    let Some(fixture) = Fixture::active() else { return };
    let maps = fixture.maps();
    let now_s = Mono::now().seconds();
    maps.replace_blocks(
        Reason::Ban,
        &[
            entry(scope_address(OWN_ID), "198.51.100.0/24", now_s + 3600),
            entry(TENANT, "198.51.100.7/32", 0),
            entry(SCOPE_NODE, "203.0.113.0/24", 0),
            entry(SCOPE_NODE, "198.51.100.7/32", now_s),
            entry(scope_address(SHARED_ID), "198.51.100.7/32", 0),
        ],
    )
    .expect("bans");
    let allow = AllowEntry { scope: TENANT, prefix: "203.0.113.9/32".parse().expect("a prefix") };
    maps.replace_allow(&[allow]).expect("allow");
    let arp = {
        let mut frame = syn(OWN).build();
        frame[12..14].copy_from_slice(&[8, 6]);
        frame
    };
    let from = |source: &str, to: &str| Frame::tcp((ip(source), 1), (ip(to), 80), SYN);
    let before = maps.counters().expect("counters");
    let mut told = 0;
    for (name, frame, outcome, action, facts) in [
        ("arp", arp, "pass_not_ip", "PASS", &[][..]),
        ("management", from(CLIENT4, "10.9.0.1").build(), "pass_host", "PASS", &["service  none"]),
        ("unused", from(CLIENT4, UNUSED).build(), "drop_no_service", "DROP", &["service  none"]),
        (
            "clean",
            from(CLIENT4, OWN).build(),
            "pass_service",
            "PASS",
            &["service: tenant 1", "node scope: no allow, no block", "steer    worker"],
        ),
        ("clean, v6", from(CLIENT6, OWN6).build(), "pass_service", "PASS", &["tenant 1"]),
        (
            "address before tenant",
            syn(OWN).build(),
            "drop_address",
            "DROP",
            &["198.51.100.0/24 (Ban, ", "s left)", "198.51.100.7/32 (Ban, for ever)", "(Ban, expired)"],
        ),
        ("shared", syn(SHARED).build(), "drop_address", "DROP", &["shared by several"]),
        ("node", from("203.0.113.1", OWN).build(), "drop_node", "DROP", &["203.0.113.0/24"]),
        (
            "a tenant's allow does not skip the node's",
            from("203.0.113.9", OWN).build(),
            "drop_node",
            "DROP",
            &["tenant scope: allow 203.0.113.9/32"],
        ),
        ("fragment", syn(OWN).fragment(8, false).build(), "drop_address", "DROP", &["fragment (Later)"]),
        ("unreachable", Frame::icmp(ip(SOURCE), ip(OWN), 3, 1).build(), "pass_icmp", "PASS", &["type 3"]),
        ("malformed", syn(OWN).build()[..50].to_vec(), "drop_malformed", "DROP", &["malformed (Network)"]),
    ] {
        let text = succeed(&fixture, &["--hex", &hex(&frame)]);
        assert!(text.contains(&format!("outcome  {action} {outcome}: ")), "{name}: {text}");
        assert!(!text.contains("but the maps say"), "{name}: {text}");
        for fact in facts {
            assert!(text.contains(fact), "{name}: {fact} is not in {text}");
        }
        told += 1;
    }
    let after = maps.counters().expect("counters");
    assert_eq!((after.drop_node, after.drop_address), (before.drop_node, before.drop_address), "{told} told");
    assert!(maps.take_reports().expect("reports").take().is_none_or(|report| report.source_port != 40_000));
}

#[test]
fn frames_come_from_captures_and_answers_as_json() {
    let Some(fixture) = Fixture::active() else { return };
    let file = fixture.directory().join("seen.pcap");
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 1] {
        bytes.extend(word.to_le_bytes());
    }
    for frame in [syn(UNUSED).build(), syn(OWN).build()] {
        for word in [1, 2, frame.len() as u32, frame.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(frame);
    }
    fs::write(&file, bytes).expect("capture");
    let name = file.to_str().expect("text");
    let json: Value =
        serde_json::from_str(&succeed(&fixture, &["--pcap", name, "--frame", "2", "--json"])).expect("JSON");
    assert_eq!((&json["outcome"], &json["action"]), (&"pass_service".into(), &"PASS".into()));
    assert_eq!(json["packet"]["destination"], OWN);
    assert_eq!((&json["service"]["tenant"], &json["expected"]), (&TENANT.into(), &Value::Null));
    assert!(json["worker"].is_u64());
    assert!(succeed(&fixture, &["--pcap", name]).contains("drop_no_service"));
    assert!(fail(&fixture, &["--pcap", name, "--frame", "3"]).contains("has 2 frames"));
}

#[test]
fn an_established_flow_on_a_shared_address_is_told_with_its_tenant() {
    let Some(fixture) = Fixture::active() else { return };
    let maps = fixture.maps();
    let (client, service) = ((ip(SOURCE), 40_000), (ip(SHARED), 80));
    maps.block(entry(TENANT, "198.51.100.7/32", 0)).expect("ban");
    let data = hex(&Frame::tcp(client, service, 0x18).build());
    let text = succeed(&fixture, &["--hex", &data]);
    assert!(
        text.contains("pass_service") && !text.contains("tenant scope"),
        "whose it is nobody knows: {text}"
    );
    maps.set_flow(client.into(), service.into(), TENANT).expect("flow");
    let text = succeed(&fixture, &["--hex", &data]);
    assert!(text.contains("drop_tenant") && text.contains("flow     of tenant 1"), "{text}");
}

#[test]
fn what_cannot_be_explained_says_why() {
    let Some(fixture) = Fixture::unloaded("") else { return };
    let frame = hex(&syn(OWN).build());
    assert!(fail(&fixture, &["--hex", &frame]).contains("nothing is loaded"));
    fixture.succeed(&["load"]);
    assert!(succeed(&fixture, &["--hex", &frame]).contains("not active"));
    assert!(fail(&fixture, &["--hex", "0"]).contains("pairs"));
    assert!(fail(&fixture, &["--hex", "zz"]).contains("no byte"));
    assert!(fail(&fixture, &["--hex", "00 01"]).contains("at least 14"));
    assert!(fail(&fixture, &[]).contains("--hex"));
    let nobody = nix::unistd::User::from_name("nobody").ok().flatten().expect("nobody");
    // Copied where the user may start it.
    fixture.waf_as_nobody(&["inspect"]);
    let mut command = fixture.node.command_as(&nobody, fixture.directory().join("waf"));
    command.arg("explain-packet").arg("--config").arg(fixture.directory().join("node.toml"));
    let output = command.args(["--hex", &frame]).output().expect("waf starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs root"), "{output:?}");
}
