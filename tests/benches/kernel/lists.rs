//! K3: random listed sources dropped, by length of the list, beside one look-up in a plain trie of the same prefixes that
//! parses nothing. Prefixes (/24) and single addresses; and a flood from all over IPv4, of which few sources are listed.

use std::net::Ipv4Addr;

use anyhow::Result;
use ipnet::{IpNet, Ipv4Net};
use xtask::bench::Line;

use crate::measure::{ANY, Subject, between, nanoseconds};
use crate::say;
use crate::stage::{DROP, Spray, Stage, addresses4, listed, prefixes4, syn4};

const LENGTHS: [u32; 5] = [10, 100, 1000, 10_000, 100_000];
const LAST_OCTET: u32 = 7;
/// Every /24 there is.
const EVERYWHERE: u32 = 1 << 24;

pub fn run(_: &Stage) -> Result<()> {
    for count in LENGTHS {
        let prefixes: Vec<Ipv4Net> = prefixes4(count).collect();
        let id = if count == 100_000 { "K3" } else { "K3len" };
        let what = format!("random listed source dropped, {count} prefixes");
        row(id, &what, &prefixes, listed(count), DROP)?;
    }
    for count in LENGTHS {
        let prefixes: Vec<Ipv4Net> = prefixes4(count).collect();
        let what = format!("any random source, {count} prefixes listed");
        row("K3any", &what, &prefixes, listed(EVERYWHERE), ANY)?;
    }
    for count in LENGTHS {
        let addresses: Vec<Ipv4Net> = addresses4(count, LAST_OCTET).collect();
        let spray = Spray { last_octet: LAST_OCTET, ..listed(count) };
        let what = format!("random listed source dropped, {count} single addresses");
        row("K3len", &what, &addresses, spray, DROP)?;
    }
    say(&Line::Note(
        "K3 has its target at 100k (1/4) and 1M (1/3) prefixes; a list holds 131,072".to_owned(),
    ));
    Ok(())
}

/// A stage of its own: the plain trie starts empty.
fn row(id: &str, what: &str, listed: &[Ipv4Net], spray: Spray, action: u32) -> Result<()> {
    let mut stage = Stage::new()?;
    stage.block(listed.iter().copied().map(IpNet::from))?;
    stage.fill_plain(listed.iter().copied())?;
    let frame = syn4(Ipv4Addr::LOCALHOST);
    let subject = Subject { program: stage.program("bench_spray4")?, frame: &frame, action };
    let plain = stage.program("bench_trie4")?;
    between(
        id,
        what,
        "plain LPM trie alone",
        || stage.spray(spray, &stage.filter).and_then(|()| nanoseconds(&subject)),
        || stage.spray(spray, plain).and_then(|()| nanoseconds(&subject)),
    )
}
