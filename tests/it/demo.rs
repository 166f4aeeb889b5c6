//! End to end: the steps of `cargo xtask demo`, one test each, on a lab of the test's own. One lab at a time, so that
//! what a step measures is its own.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use nix::unistd::Uid;
use xtask::build::Built;
use xtask::demo::cleanup::Traces;
use xtask::demo::{bans, failures, requests, workers};
use xtask::lab::{Lab, LabOptions};

static LAB: Mutex<()> = Mutex::new(());

/// Brings a lab up, takes the steps in order, and looks for what it left.
fn shows(steps: &[fn(&mut Lab) -> Result<String>]) {
    let Some(built) = built() else { return };
    let _alone = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    let mut lab = Lab::start(&built, LabOptions::default()).unwrap_or_else(|error| panic!("{error:#}"));
    for step in steps {
        match step(&mut lab) {
            Ok(figure) => println!("{figure}"),
            Err(error) => panic!("{error:#}\n{}", lab.logs()),
        }
    }
    let traces = Traces::of(&lab);
    drop(lab);
    assert_eq!(traces.found(), Vec::<String>::new());
}

/// The finished binaries, where the tests run as root and are told of them.
fn built() -> Option<Built> {
    if !Uid::effective().is_root() {
        println!("skipped: no root for the lab");
        return None;
    }
    let file = |name| std::env::var_os(name).map(PathBuf::from);
    let (Some(waf), Some(object)) = (file("WAF_BIN"), file("WAF_OBJECT")) else {
        println!("skipped: no WAF_BIN and WAF_OBJECT");
        return None;
    };
    Some(Built { waf, object })
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
