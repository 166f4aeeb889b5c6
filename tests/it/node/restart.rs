//! Both nodes killed and started again at random under load: bans hold, nobody is answered by what is dead, nothing
//! gathers.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use waf_tests::load::Connection;
use waf_tests::namespace::inside;
use xtask::lab::settings::WWW;
use xtask::lab::topology::ATTACKER;
use xtask::lab::{CARRIERS, Carrier, Lab, LabOptions, Request, Scheme};

use super::{http, load};
use crate::stage;

const KILLS: u32 = 5;
const KILLS_SOAK: u32 = 50;
/// RST comes in a millisecond, silence takes a second and more.
const AT_ONCE: Duration = Duration::from_millis(500);
const SILENCE: Duration = Duration::from_millis(300);

#[test]
fn killed_nodes_come_back_with_their_bans_and_without_ghosts() {
    let kills = if std::env::var_os("WAF_SOAK").is_some() { KILLS_SOAK } else { KILLS };
    stage::with_lab(LabOptions::default(), |lab| {
        for carrier in CARRIERS {
            let prefix = format!("{}/32", carrier.client(ATTACKER));
            lab.node(carrier).waf_text(&["ban", "add", &prefix, "--scope", "node", "--ttl-s", "3600"])?;
        }
        let before = [pinned(lab, Carrier::A)?, pinned(lab, Carrier::B)?];
        let mut random = Random::new();
        // Both carriers' visitors go on: what they lose while a node is dead is that node's, and not counted here.
        let load = load(lab, &CARRIERS);
        for kill in 0..kills {
            let carrier = if random.next().is_multiple_of(2) { Carrier::A } else { Carrier::B };
            std::thread::sleep(Duration::from_millis(random.next() % 100));
            lab.node_mut(carrier).kill()?;
            dead(lab, carrier).with_context(|| format!("kill {kill}, seed {}", random.seed))?;
            lab.restart(carrier)?;
            alive(lab, carrier).with_context(|| format!("restart {kill}, seed {}", random.seed))?;
        }
        let tally = load.stop();
        ensure!(tally.answered > 0, "nobody was answered");
        let after = [pinned(lab, Carrier::A)?, pinned(lab, Carrier::B)?];
        ensure!(before == after, "pins and services were {before:?} and are {after:?}");
        println!(
            "{kills} kills: bans kept, RST while dead, pins as before; {} requests answered",
            tally.answered
        );
        Ok(())
    });
}

/// The services still stand in the kernel, and lead nowhere: a visitor hears RST at once, the banned nothing.
fn dead(lab: &Lab, carrier: Carrier) -> Result<()> {
    let target = http(carrier.service(10));
    let start = Instant::now();
    let refused = inside(lab.client_namespace(), || Connection::open(target)).err().map(|error| error.kind());
    ensure!(refused == Some(ErrorKind::ConnectionRefused), "a dead node answers {refused:?}");
    ensure!(start.elapsed() < AT_ONCE, "refused after {:?} only", start.elapsed());
    banned_hear_nothing(lab, carrier)
}

fn alive(lab: &Lab, carrier: Carrier) -> Result<()> {
    for scheme in [Scheme::Http, Scheme::Https] {
        let visit = Request::get(scheme, WWW, carrier.service(10), "/");
        ensure!(lab.client().answer(&visit)?.status == 200, "a clean request is refused");
    }
    let bans = lab.node(carrier).waf_text(&["ban", "list"])?;
    ensure!(bans.contains(&carrier.client(ATTACKER).to_string()), "the ban is gone: {bans}");
    banned_hear_nothing(lab, carrier)
}

fn banned_hear_nothing(lab: &Lab, carrier: Carrier) -> Result<()> {
    let knock = Request::get(Scheme::Http, WWW, carrier.service(10), "/")
        .from(carrier.client(ATTACKER))
        .connect_within(SILENCE);
    ensure!(lab.client().send(&knock)?.is_none(), "the banned are answered");
    Ok(())
}

/// What must not grow: pins, services, block entries.
fn pinned(lab: &Lab, carrier: Carrier) -> Result<[usize; 3]> {
    let node = lab.node(carrier);
    let pins = std::fs::read_dir(node.pins()?.join("maps"))?.count();
    let entries = |map| anyhow::Ok(node.map(map)?.as_array().map_or(0, Vec::len));
    Ok([pins, entries("SERVICES")?, entries("BLOCK_EXACT")?])
}

/// xorshift64 (Marsaglia 2003); the seed is told with a failure.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    fn new() -> Self {
        let seed = u64::from(std::process::id()) | 1 << 32;
        Self { seed, state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}
