//! End to end: `cargo xtask demo` as it prints itself; and its steps that need no control plane, one test each, on nodes that
//! a file configures.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use xtask::demo::{STEPS, bans, evidence, failures, requests, workers};
use xtask::lab::{Carrier, Lab, LabOptions};

use crate::stage;

/// Takes the steps in order.
fn shows(steps: &[fn(&mut Lab) -> Result<String>]) {
    shows_in(LabOptions::default(), steps);
}

/// The same in a lab that is not the usual one.
fn shows_in(options: LabOptions, steps: &[fn(&mut Lab) -> Result<String>]) {
    stage::with_lab(options, |lab| {
        for step in steps {
            println!("{}", step(lab)?);
        }
        Ok(())
    });
}

/// What must stand between the end of the step before and the line of each of these steps.
const PRINTED: [(&str, &[&str]); 6] = [
    ("nodes join the fleet", &["waf fleet apply inventory.toml", "waf fleet list", "carrier-a", "carrier-b"]),
    (
        "sheets planned, shown and applied",
        &[
            "plan against revision",
            "www.example.test: new",
            "(own: kernel strength per site)",
            "(shared: kernel strength per site only once",
            "the notices, as the customer gets them",
            "www.example.test is protected from now on",
            "CNAME: ",
            "At a zone apex, all of these addresses: 10.1.",
            "We reach your origin from: ",
            "の保護を開始します",
        ],
    ),
    (
        "TLS turned on",
        &[
            "plan against revision",
            "because TLS turned on",
            "the CNAME and the addresses stay",
            "を適用します",
        ],
    ),
    (
        "peaks changed",
        &[
            "because peak from 1,500 to 700 requests/s",
            "because peak from 100 to 300 requests/s",
            "in place: ",
        ],
    ),
    (
        "a change that must move",
        &[
            ": move: a new CNAME and new addresses, the old ones serve on",
            "because peak from 300 to 600 requests/s",
            "  today: ",
            "  then: ",
            "moves: please change its DNS",
            "Reason: the peak does not fit",
            "は新しい環境へ移行します",
        ],
    ),
    ("an older control plane sets no node back", &["ahead of"]),
];

#[test]
fn contract_from_the_sheet_to_two_addresses_and_on_the_demo_prints_it_all() {
    let (Some(built), Some(xtask)) = (stage::built(), std::env::var_os("WAF_XTASK")) else {
        println!("skipped: no WAF_XTASK");
        return;
    };
    let mut demo = Command::new(xtask);
    demo.arg("demo").arg("--bin").arg(&built.waf).arg("--object").arg(&built.object).stdin(Stdio::null());
    let output = stage::alone(|| demo.output().expect("start the demo"));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    println!("{text}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rest = text.as_str();
    for (index, step) in STEPS.iter().enumerate() {
        let line = format!("\nok   {:>2}  {}: ", index + 1, step.name);
        let (before, after) = rest.split_once(&line).unwrap_or_else(|| panic!("no {line:?}"));
        let figure = after.lines().next().unwrap_or_default();
        // A step that shows nothing in figures has shown nothing.
        assert!(figure.bytes().any(|byte| byte.is_ascii_digit()), "{}: {figure}", step.name);
        for (_, words) in PRINTED.iter().filter(|(name, _)| *name == step.name) {
            for word in *words {
                assert!(before.contains(word), "{}: nothing says {word:?} in:{before}", step.name);
            }
        }
        rest = after;
    }
    assert!(PRINTED.iter().all(|(name, _)| STEPS.iter().any(|step| step.name == *name)));
    assert!(rest.contains("everything cleared away: 0 namespaces, 0 mounts, 0 pins, 0 of "), "{rest}");
}

#[test]
fn nodes_serve_without_privilege() {
    shows(&[requests::unprivileged]);
}

#[test]
fn clean_requests_pass_at_either_carrier() {
    shows(&[requests::clean]);
}

#[test]
fn the_benign_list_passes() {
    shows(&[requests::benign]);
}

#[test]
fn attacks_are_refused_and_their_events_found() {
    shows(&[requests::attacks]);
}

#[test]
fn detect_mode_passes_logs_and_bans_nobody() {
    shows(&[requests::detect]);
}

#[test]
fn an_attacker_is_dropped_in_the_kernel_until_an_operator_lifts_the_ban() {
    shows(&[bans::dropped, bans::lifted]);
}

#[test]
fn each_tenant_has_its_own_workers() {
    shows(&[workers::own]);
}

#[test]
fn the_kernel_drops_on_without_the_daemon() {
    shows(&[failures::killed]);
}

#[test]
fn a_client_that_knows_both_addresses_outlives_a_carrier() {
    shows(&[failures::carrier_gone]);
}

#[test]
fn tenants_and_bans_work_in_generic_mode() {
    let options = LabOptions { xdp_mode: "generic", ..LabOptions::default() };
    shows_in(options, &[is_generic, requests::clean, bans::dropped, workers::own]);
}

#[test]
fn tenants_and_bans_work_with_steering_by_cpumap() {
    let options = LabOptions { extra_node: "cpumap = true".to_owned(), ..LabOptions::default() };
    shows_in(options, &[requests::clean, bans::dropped, workers::own, is_steered]);
}

fn is_generic(lab: &mut Lab) -> Result<String> {
    let mode = lab.node(Carrier::A).xdp_mode();
    ensure!(mode == "generic", "asked for generic XDP, got {mode}");
    Ok(format!("XDP {mode}"))
}

fn is_steered(lab: &mut Lab) -> Result<String> {
    let steered = evidence::sum(&lab.node(Carrier::A).map("COUNTERS")?, "pass_steered");
    ensure!(steered > 0, "cpumap is set and no packet was steered");
    Ok(format!("{steered} packets steered"))
}
