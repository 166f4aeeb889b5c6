//! From a ban that the rules of a node at one carrier made, as that node's log tells it, to the first packet of its source
//! that the kernel dropped at the other carrier, as the packet's event there tells it: through two streams and the control
//! plane's store. Both by CLOCK_MONOTONIC of one machine. A fresh source for every ban; meanwhile it visits the other
//! carrier harmlessly every millisecond.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::reaction::attacker::{self, Attack};
use super::reaction::journal::Journal;
use super::{Line, Report, Row};
use crate::build::Built;
use crate::interrupt;
use crate::lab::fleet::Fleet;
use crate::lab::settings::WWW;
use crate::lab::{CARRIERS, Carrier, Lab, LabOptions};

/// What the issue asks for.
const BANS: u8 = 200;
/// The bound, ms.
const BOUND_MS: f64 = 1_000.0;
/// From the first request to the first drop at the other carrier: an order above the bound, so that a loaded machine is no
/// failure.
const BANNED: Duration = Duration::from_secs(10);
/// Every second ban begins at the other carrier.
const ROUTES: [(Carrier, Carrier); 2] = [(Carrier::A, Carrier::B), (Carrier::B, Carrier::A)];

pub fn run(built: &Built, report: &mut Report) -> Result<()> {
    let options = LabOptions { extra_node: "event_sample = 1".to_owned(), ..LabOptions::default() };
    let fleet = Fleet::serving_with(built, options)?;
    let mut taken = Vec::new();
    for number in 1..=BANS {
        interrupt::check()?;
        let source = become_source(fleet.lab(), number)?;
        let route = ROUTES[usize::from(number) % 2];
        let ms = spread(fleet.lab(), route, source)
            .with_context(|| format!("ban {number} of {source}\n{}", fleet.logs()))?;
        taken.push(ms);
    }
    taken.sort_by(f64::total_cmp);
    // By nearest rank.
    let rank = |percent: usize| taken.get((taken.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let of = |percent| rank(percent).context("no ban");
    let (p50, p99, worst) = (of(50)?, of(99)?, of(100)?);
    let what = format!("ban at one carrier to first kernel drop at the other, p99 of {BANS} bans");
    let row = Row::of_pairs("fleet-ban", &what, "ms allowed", "ms", &[(p99, BOUND_MS)]).context("no ban")?;
    report.take(&Line::Row(row));
    let text = format!("fleet-ban: p50 {p50:.2} ms, p99 {p99:.2} ms, slowest {worst:.2} ms, six nodes");
    report.take(&Line::Note(text));
    Ok(())
}

/// From now on connections to both carriers come from this source, and answers find it.
fn become_source(lab: &Lab, number: u8) -> Result<IpAddr> {
    let source = IpAddr::V4(Ipv4Addr::new(10, 66, number, 2));
    let (text, host) = (source.to_string(), format!("{source}/32"));
    for carrier in CARRIERS {
        let (services, via) = (format!("10.{}.0.0/16", carrier.number()), carrier.edge().to_string());
        let client = lab.client_namespace();
        client.ip(["address", "replace", &host, "dev", carrier.client_device()])?;
        client.ip(["route", "replace", &services, "via", &via, "src", &text])?;
        let back = carrier.client(2).to_string();
        lab.carrier_namespace(carrier).ip(["route", "replace", &host, "via", &back])?;
    }
    Ok(source)
}

/// One ban: from its making at the first carrier to the first drop at the second, in milliseconds.
fn spread(lab: &Lab, (from, to): (Carrier, Carrier), source: IpAddr) -> Result<f64> {
    let [mut here, mut there] = [Journal::open(&events(lab, from)?)?, Journal::open(&events(lab, to)?)?];
    here.skip()?;
    there.skip()?;
    let at =
        |carrier| Ok::<_, anyhow::Error>(Attack { target: lab.place(WWW, carrier)?.v4, fqdn: WWW, source });
    let (attack, visit) = (at(from)?, at(to)?);
    let (client, stop) = (lab.client_namespace(), AtomicBool::new(false));
    let deadline = Instant::now() + BANNED;
    thread::scope(|scope| {
        let visitor = scope.spawn(|| attacker::visit(client, &visit, &stop));
        let taken = attacker::attack(client, &attack, || {
            interrupt::check()?;
            here.read()?;
            there.read()?;
            match (here.ban(source), there.drops(source).first()) {
                (Some(banned), Some(dropped)) => Ok(Some((*dropped as f64 - banned as f64) / 1e6)),
                (banned, _) if Instant::now() >= deadline => {
                    let made = if banned.is_some() { "a ban" } else { "no ban" };
                    bail!("{made} at {} and no drop at {}", from.name(), to.name())
                }
                _ => Ok(None),
            }
        });
        stop.store(true, Ordering::Relaxed);
        visitor.join().map_err(|_| anyhow!("the visitor panicked"))??;
        taken
    })
}

fn events(lab: &Lab, carrier: Carrier) -> Result<std::path::PathBuf> {
    Ok(lab.serving(WWW, carrier)?.state().join("events.jsonl"))
}
