//! End to end: the steps of `cargo xtask demo`, one test each, on a lab of the test's own.

use anyhow::Result;
use xtask::demo::{bans, failures, requests, workers};
use xtask::lab::{Lab, LabOptions};

use crate::stage;

/// Takes the steps in order.
fn shows(steps: &[fn(&mut Lab) -> Result<String>]) {
    stage::with_lab(LabOptions::default(), |lab| {
        for step in steps {
            println!("{}", step(lab)?);
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
