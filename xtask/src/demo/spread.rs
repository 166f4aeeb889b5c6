//! Steps about bans of the fleet: what the kernel at one carrier drops, the kernel at the other drops too; what is lifted
//! at one is lifted at both.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::bans;
use super::evidence::{self, blocked};
use crate::interrupt;
use crate::lab::fleet::Fleet;
use crate::lab::settings::WWW;
use crate::lab::topology::ATTACKER;
use crate::lab::{Carrier, Request, Scheme};

/// The bound of the contract is a second, on a machine that has nothing else to do.
const ARRIVED: Duration = Duration::from_secs(5);

/// The attacker is banned at carrier A, and carrier B's kernel drops him.
///
/// # Errors
/// He is not banned at A, was banned at B before, or is answered there still.
pub fn banned(fleet: &mut Fleet) -> Result<String> {
    let attacker = Carrier::A.client(ATTACKER);
    let request = request_at_b(fleet)?;
    let answer =
        fleet.lab().client().answer(&request).context("the attacker, at carrier B, before his attack")?;
    ensure!(
        answer.status == 200,
        "the attacker is answered {} at carrier B before his attack",
        answer.status
    );
    let before = blocked(fleet.lab().serving(WWW, Carrier::B)?)?;
    let at_a = bans::dropped(fleet.lab_mut())?;
    let start = Instant::now();
    let listed = attacker.to_string();
    interrupt::until("the ban to be at carrier B", ARRIVED, || {
        Ok(evidence::bans(fleet.lab().serving(WWW, Carrier::B)?)?.contains(&listed).then_some(()))
    })?;
    let arrived = start.elapsed();
    interrupt::until("carrier B's kernel to drop the attacker", ARRIVED, || {
        let is_silent = fleet.lab().client().send(&request)?.is_none();
        let is_counted = blocked(fleet.lab().serving(WWW, Carrier::B)?)? > before;
        Ok((is_silent && is_counted).then_some(()))
    })?;
    let listed = fleet.control().operator(&["ban", "list"])?;
    ensure!(listed.contains(&attacker.to_string()), "waf ban list does not know of it: {listed}");
    Ok(format!("at carrier A {at_a}; at carrier B listed {} ms later and dropped", arrived.as_millis()))
}

/// The ban is lifted at carrier A, and the attacker is answered at B again.
///
/// # Errors
/// He is not, or the control plane lists the ban still.
pub fn lifted(fleet: &mut Fleet) -> Result<String> {
    let at_a = bans::lifted(fleet.lab_mut())?;
    let request = request_at_b(fleet)?;
    let start = Instant::now();
    interrupt::until("the attacker to be answered again at carrier B", ARRIVED, || {
        Ok(fleet.lab().client().send(&request)?.filter(|answer| answer.status == 200))
    })?;
    let attacker = Carrier::A.client(ATTACKER).to_string();
    let listed = fleet.control().operator(&["ban", "list"])?;
    ensure!(!listed.contains(&attacker), "waf ban list shows it still: {listed}");
    Ok(format!("at carrier A {at_a}; at carrier B {} ms after that", start.elapsed().as_millis()))
}

fn request_at_b(fleet: &Fleet) -> Result<Request> {
    let address = fleet.lab().place(WWW, Carrier::B)?.v4;
    let request = Request::get(Scheme::Http, WWW, address, "/");
    Ok(request.from(Carrier::A.client(ATTACKER)).connect_within(bans::SILENCE))
}
