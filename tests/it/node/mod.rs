//! A node through its life: new configurations, other processes in its place, crashes, its end; and the bans it makes.

mod bans;
mod certificates;
mod contract;
mod drain;
pub mod metrics;
pub(crate) mod plain;
mod reload;
mod restart;
mod take_over;

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, ensure};
use waf_tests::load::{Load, Tally};
use waf_tests::namespace;
use waf_user::node::control::{Reply, Request, Status};
use waf_user::node::control_sock;
use xtask::lab::settings::WWW;
use xtask::lab::{Carrier, Lab};

/// Visitors at once: enough that one is always in the middle of a request.
const VISITORS: usize = 6;

/// Load from the lab's client on the first site at these carriers.
fn load(lab: &Lab, carriers: &[Carrier]) -> Load {
    let targets: Vec<SocketAddr> = carriers.iter().map(|carrier| http(carrier.service(10))).collect();
    let client = lab.client_namespace().path();
    Load::start(VISITORS, WWW, &targets, move || namespace::enter(&client))
}

fn http(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 80)
}

/// Everything asked for was answered.
fn nothing_lost(tally: &Tally) -> Result<()> {
    let first: Vec<_> = tally.lost.iter().take(5).collect();
    ensure!(tally.lost.is_empty(), "{} of {} lost: {first:?}", tally.lost.len(), tally.answered);
    ensure!(tally.answered > 0, "no request was sent: that was no load");
    Ok(())
}

fn ask(lab: &Lab, request: &Request) -> Result<Reply> {
    let state = lab.node(Carrier::A).state();
    control_sock::ask(state, request).with_context(|| format!("ask the node of {}", state.display()))
}

fn status(lab: &Lab) -> Result<Status> {
    match ask(lab, &Request::Status {})? {
        Reply::Status(status) => Ok(status),
        other => anyhow::bail!("no status: {other:?}"),
    }
}
