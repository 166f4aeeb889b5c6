//! The step about worker sets: a tenant's connections wake its own workers and no other.

use anyhow::{Result, ensure};

use super::evidence::wakings;
use crate::lab::settings::{SHOP, WWW};
use crate::lab::{Carrier, Lab, Request, Scheme};

/// Connections of each tenant: with both workers open to all, one would see none with odds of 2^-31.
const CONNECTIONS: u64 = 32;

/// Connections of each of two tenants; the other's worker sleeps on.
///
/// # Errors
/// A connection wakes another tenant's worker.
pub fn own(lab: &mut Lab) -> Result<String> {
    let carrier = Carrier::A;
    let mut figures = Vec::new();
    for fqdn in [WWW, SHOP] {
        let site = lab.site(fqdn)?.clone();
        let (node, address) = (lab.serving(fqdn, carrier)?, lab.place(fqdn, carrier)?.v4);
        let before = [wakings(node, 0)?, wakings(node, 1)?];
        for _ in 0..CONNECTIONS {
            let request = Request::get(Scheme::Http, fqdn, address, "/");
            let answer = lab.client().answer(&request)?;
            ensure!(answer.status == 200, "{fqdn}: {}", answer.status);
        }
        let woken = [wakings(node, 0)? - before[0], wakings(node, 1)? - before[1]];
        let (own, other) = if site.workers == [0] { (woken[0], woken[1]) } else { (woken[1], woken[0]) };
        ensure!(own >= CONNECTIONS, "{fqdn}: its worker woke {own} times for {CONNECTIONS} connections");
        // Timers may wake a worker now and then; a connection takes several wakings.
        ensure!(other < CONNECTIONS / 2, "{fqdn}: the other tenant's worker woke {other} times");
        figures.push(format!("{fqdn} woke worker {:?} {own} times, the other {other}", site.workers));
    }
    Ok(format!("{CONNECTIONS} connections each: {}", figures.join("; ")))
}
