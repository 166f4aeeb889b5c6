//! A lab for one test: brought up, used, taken down, and searched for what it left. One lab at a time, so that what a
//! test measures is its own.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use nix::unistd::Uid;
use xtask::build::Built;
use xtask::demo::cleanup::Traces;
use xtask::lab::fleet::Fleet;
use xtask::lab::{Lab, LabOptions};

static ALONE: Mutex<()> = Mutex::new(());

/// Runs `play` on a lab of its own; a panic shows the lab's logs.
pub fn with_lab(options: LabOptions, play: impl FnOnce(&mut Lab) -> anyhow::Result<()>) {
    let Some(built) = built() else { return };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut lab = Lab::start(&built, options).unwrap_or_else(|error| panic!("{error:#}"));
    if let Err(error) = play(&mut lab) {
        panic!("{error:#}\n{}", lab.logs());
    }
    let traces = Traces::of(&lab);
    drop(lab);
    assert_eq!(traces.found(), Vec::<String>::new());
}

/// The same with a fleet, of which nothing has joined yet.
pub fn with_fleet(play: impl FnOnce(&mut Fleet) -> anyhow::Result<()>) {
    let Some(built) = built() else { return };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut fleet = Fleet::start(&built).unwrap_or_else(|error| panic!("{error:#}"));
    if let Err(error) = play(&mut fleet) {
        panic!("{error:#}\n{}", fleet.logs());
    }
    let traces = Traces::of(fleet.lab());
    drop(fleet);
    assert_eq!(traces.found(), Vec::<String>::new());
}

/// Keeps labs away while something else that makes one runs.
pub fn alone<T>(run: impl FnOnce() -> T) -> T {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    run()
}

/// The finished binaries, where the tests run as root and are told of them.
pub fn built() -> Option<Built> {
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
