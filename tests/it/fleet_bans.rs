//! Bans that the control plane knows: where they hold, when they end, and that neither a lost connection nor the largest list
//! hinders them. How fast one spreads is measured by `cargo xtask bench fleet-ban`.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use xtask::demo::bans::{self, SILENCE};
use xtask::interrupt;
use xtask::lab::fleet::Fleet;
use xtask::lab::settings::{SHOP, WWW};
use xtask::lab::topology::{ATTACKER, PROBES};
use xtask::lab::{CARRIERS, Carrier, Node, Request, Scheme};

use crate::node::metrics;
use crate::stage;

/// The bound is a second, on a machine that has nothing else to do.
const ARRIVED: Duration = Duration::from_secs(5);
/// A list of this length is written, told to six nodes and put into six kernels, all on one busy machine.
const IMPORTED: Duration = Duration::from_secs(300);
const MANY: usize = 100_000;
const TTL_S: u64 = 4;

#[test]
fn bans_of_the_fleet_hold_where_they_concern_until_they_end() {
    stage::with_fleet(|fleet| {
        fleet.serve_all()?;
        metrics::of_a_fleet(fleet.lab().node(Carrier::A))?;
        let (one, other) = (Carrier::A.client(PROBES[0]), Carrier::A.client(ATTACKER));
        // For the whole fleet: every site at every carrier, and no other source.
        let (one_text, other_text) = (one.to_string(), other.to_string());
        let ttl = TTL_S.to_string();
        fleet.control().operator(&["ban", "add", &one_text, "--ttl-s", &ttl])?;
        let made = Instant::now();
        for site in [WWW, SHOP] {
            answered(fleet, site, one, false)?;
            answered(fleet, site, other, true)?;
        }
        // For one site, by whom it belongs to.
        let customer = fleet.customer().clone();
        fleet.control().as_person(&customer, &["ban", "add", &other_text, "--site", WWW])?;
        answered(fleet, WWW, other, false)?;
        answered(fleet, SHOP, other, true)?;
        let listed = fleet.control().as_person(&customer, &["ban", "list"])?;
        ensure!(listed.contains(&other_text) && !listed.contains(&one_text), "a customer sees {listed}");
        // The first has ended by itself at both carriers, not before its time.
        answered(fleet, WWW, one, true)?;
        ensure!(made.elapsed() >= Duration::from_secs(TTL_S - 1), "it ended after {:?}", made.elapsed());
        fleet.control().as_person(&customer, &["ban", "remove", &other_text, "--site", WWW])?;
        answered(fleet, WWW, other, true)
    });
}

#[test]
fn a_ban_made_while_the_control_plane_is_away_arrives_when_it_is_back() {
    stage::with_fleet(|fleet| {
        fleet.serve_all()?;
        let (before, attacker) = (Carrier::A.client(PROBES[0]), Carrier::A.client(ATTACKER));
        fleet.control().operator(&["ban", "add", &before.to_string()])?;
        answered(fleet, WWW, before, false)?;
        fleet.control_mut().0.kill()?;
        bans::dropped(fleet.lab_mut())?;
        answered_at(fleet, WWW, Carrier::B, attacker, true)?;
        answered(fleet, WWW, before, false)?;
        // A node that starts again meanwhile knows its bans from the kernel.
        fleet.lab_mut().serving_mut(WWW, Carrier::B)?.kill()?;
        fleet.lab_mut().restart_serving(WWW, Carrier::B)?;
        answered(fleet, WWW, before, false)?;
        let (control, run) = fleet.control_mut();
        control.start(run)?;
        answered(fleet, WWW, attacker, false)?;
        answered(fleet, WWW, before, false)?;
        fleet.control().operator(&["ban", "remove", &attacker.to_string(), "--site", WWW])?;
        fleet.control().operator(&["ban", "remove", &before.to_string()])?;
        answered(fleet, WWW, attacker, true)?;
        answered(fleet, WWW, before, true)
    });
}

#[test]
fn the_largest_list_arrives_at_all_nodes_and_is_lifted_again() {
    stage::with_fleet(|fleet| {
        fleet.serve_all()?;
        let banned = Carrier::A.client(ATTACKER);
        let mut list = format!("# {MANY} sources\n{banned}\n");
        for at in 1..u32::try_from(MANY)? {
            writeln!(list, "{}", IpAddr::from((0xac10_0000 + at).to_be_bytes()))?;
        }
        let path = fleet.lab().run().folder().join("drop.txt");
        fs::write(&path, list)?;
        let path = path.to_str().context("a path in plain letters")?;
        let said = fleet.control().operator(&["ban", "import", path])?;
        ensure!(said.contains(&format!("{MANY} of them new or longer")), "waf ban import says {said}");
        let start = Instant::now();
        all_hold(fleet, MANY)?;
        println!("{MANY} bans: at all nodes {} ms after they were made", start.elapsed().as_millis());
        answered(fleet, WWW, banned, false)?;
        fleet.control().operator(&["ban", "import", path, "--lift"])?;
        let start = Instant::now();
        all_hold(fleet, 0)?;
        println!("{MANY} bans: lifted at all nodes {} ms later", start.elapsed().as_millis());
        answered(fleet, WWW, banned, true)
    });
}

/// At both carriers, soon.
fn answered(fleet: &Fleet, fqdn: &str, source: IpAddr, is_answered: bool) -> Result<()> {
    CARRIERS.into_iter().try_for_each(|carrier| answered_at(fleet, fqdn, carrier, source, is_answered))
}

fn answered_at(fleet: &Fleet, fqdn: &str, carrier: Carrier, source: IpAddr, expected: bool) -> Result<()> {
    let address = fleet.lab().place(fqdn, carrier)?.v4;
    let request = Request::get(Scheme::Http, fqdn, address, "/").from(source).connect_within(SILENCE);
    let what = format!(
        "{source} to be {} by {fqdn} at {}",
        if expected { "answered" } else { "dropped" },
        carrier.name()
    );
    interrupt::until(&what, ARRIVED, || match fleet.lab().client().send(&request)? {
        Some(answer) if answer.status != 200 => bail!("{what}: {}", answer.status),
        answer => Ok((answer.is_some() == expected).then_some(())),
    })
}

fn all_hold(fleet: &Fleet, count: usize) -> Result<()> {
    let what = format!("all nodes to hold {count} bans");
    interrupt::until(&what, IMPORTED, || {
        let all = fleet.lab().nodes().iter().all(|node| held(node) == Some(count));
        Ok(all.then_some(()))
    })
}

/// None where it does not answer in time: it has 100,000 bans to look after.
fn held(node: &Node) -> Option<usize> {
    let values = node.metric("waf_node_bans").ok()?;
    let (_, value) = values.iter().find(|(name, _)| name == "waf_node_bans")?;
    Some(*value as usize)
}
