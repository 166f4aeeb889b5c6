//! End to end: all steps of `cargo xtask demo` on a fleet; and those that need no control plane one test each, on nodes
//! that a file configures.

use anyhow::{Context, Result, ensure};
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

#[test]
fn a_fleet_shows_every_step_of_the_demo() {
    stage::with_fleet(|fleet| {
        for step in &STEPS {
            let figure = (step.run)(fleet).context(step.name)?;
            println!("{}: {figure}", step.name);
            // A step that shows nothing in figures has shown nothing.
            ensure!(figure.bytes().any(|byte| byte.is_ascii_digit()), "{}: {figure}", step.name);
        }
        Ok(())
    });
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
