//! K7: from the n-th refusal of an attacker, as the node's log tells it, to the first of his packets that the kernel
//! dropped, as the packet's event tells it; both by CLOCK_MONOTONIC. A fresh source for every ban, a request every
//! millisecond. At the end the first of the bans has expired, and its source is answered again.

pub(super) mod attacker;
pub(super) mod journal;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use self::attacker::{Attack, Attacker};
use self::journal::Journal;
use super::{Line, Report, Row};
use crate::build::Built;
use crate::interrupt;
use crate::lab::settings::{ONE, SHADOW, WWW};
use crate::lab::{BanPolicy, Carrier, Lab, LabOptions, Mode};

const CARRIER: Carrier = Carrier::A;
const BANS: u8 = 100;
const REFUSED: u32 = 10;
/// Longer than all bans of a kind take, so that none expires before the last is made.
const TTL_S: u32 = 90;
/// From the first request to the first drop: two orders above what is expected, so that a loaded machine is no failure.
const BANNED: Duration = Duration::from_secs(10);
/// The bound of targets.md; the aim is a tenth of it.
const BOUND_MS: f64 = 50.0;
/// Sites with an address of their own, and the last number of it.
const OWN: (&str, u8) = (WWW, 10);
const SHARED: (&str, u8) = (ONE, 20);

/// What is attacked, and by whom.
struct Kind {
    name: &'static str,
    site: (&'static str, u8),
    has_v6: bool,
    scope: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind { name: "v4, tenant scope", site: OWN, has_v6: false, scope: "tenant" },
    Kind { name: "v6 by /64, tenant scope", site: OWN, has_v6: true, scope: "tenant" },
    Kind { name: "v4, address shared by two tenants", site: SHARED, has_v6: false, scope: "address" },
];

pub fn run(built: &Built, report: &mut Report) -> Result<()> {
    for kind in KINDS {
        interrupt::check()?;
        report.part(kind.name, |report| measure(built, &kind, report));
    }
    Ok(())
}

fn measure(built: &Built, kind: &Kind, report: &mut Report) -> Result<()> {
    let ban = BanPolicy { refused: REFUSED, ratio: 0.5, window_s: 10, ttl_s: TTL_S, scope: kind.scope };
    let mut options = LabOptions { ban, extra_node: "event_sample = 1".to_owned(), ..LabOptions::default() };
    // Nobody's ban may reach an address that a detecting tenant shares.
    for site in options.sites.iter_mut().filter(|site| site.fqdn == SHADOW) {
        site.mode = Mode::Block;
    }
    let lab = Lab::start(built, options)?;
    let attacker = Attacker::new(lab.client_namespace(), lab.carrier_namespace(CARRIER), CARRIER);
    let (fqdn, host) = kind.site;
    let target = if kind.has_v6 { CARRIER.service6(host) } else { CARRIER.service(host) };
    let mut journal = Journal::open(&lab.node(CARRIER).state().join("events.jsonl"))?;
    let mut reactions = Vec::new();
    let mut first = None;
    for number in 1..=BANS {
        let source = attacker.become_source(number, kind.has_v6)?;
        let reaction = reaction(&lab, &mut journal, (number, &Attack { target, fqdn, source }))
            .with_context(|| format!("ban {number} of {source}\n{}", lab.logs()))?;
        first = first.or(Some((source, Instant::now())));
        reactions.push(reaction);
    }
    // By nearest rank.
    reactions.sort_by(|a, b| a.to_drop.total_cmp(&b.to_drop));
    let rank = |percent: usize| reactions.get((reactions.len() * percent).div_ceil(100).saturating_sub(1));
    let of = |percent| rank(percent).copied().context("no ban");
    let (p50, p99, worst) = (of(50)?.to_drop, of(99)?.to_drop, of(100)?);
    let what = format!("ban to first kernel drop, p99 of {BANS} bans, {}", kind.name);
    let row = Row::of_pairs("K7", &what, "ms allowed", "ms", &[(p99, BOUND_MS)]).context("no ban")?;
    report.take(&Line::Row(row));
    let Reaction { number, to_ban, to_drop, refused } = worst;
    let text = format!(
        "{}: p50 {p50:.2} ms, p99 {p99:.2} ms; the slowest is ban {number}: made after {to_ban:.2} ms, first drop after \
         {to_drop:.2} ms, {refused} more requests refused meanwhile",
        kind.name
    );
    report.take(&Line::Note(text));
    // What banned connections still send is dropped too: the first drop is told of in the midst of that.
    let untold: f64 =
        lab.node(CARRIER).metric("waf_node_drop_events_lost_total")?.iter().map(|(_, n)| n).sum();
    report
        .take(&Line::Note(format!("{}: {untold} drops above the rate of their events, counted", kind.name)));
    let (source, since) = first.context("no ban")?;
    attacker.become_source(1, kind.has_v6)?;
    expired(&lab, &Attack { target, fqdn, source }, since)?;
    report.take(&Line::Note(format!("{}: the first ban has expired, {source} is answered again", kind.name)));
    Ok(())
}

/// What passed between the refusal that made a ban and the first drop, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Reaction {
    number: u8,
    to_ban: f64,
    to_drop: f64,
    /// Requests refused meanwhile.
    refused: usize,
}

/// One ban.
fn reaction(lab: &Lab, journal: &mut Journal, (number, attack): (u8, &Attack<'_>)) -> Result<Reaction> {
    journal.skip()?;
    let deadline = Instant::now() + BANNED;
    attacker::attack(lab.client_namespace(), attack, || {
        interrupt::check()?;
        journal.read()?;
        let refusals = journal.refusals(attack.source);
        let Some(last) = refusals.get(REFUSED as usize - 1) else {
            ensure!(Instant::now() < deadline, "{} refusals and no ban", refusals.len());
            return Ok(None);
        };
        let since = |time: u64| (time as f64 - *last as f64) / 1e6;
        match journal.drops(attack.source).first() {
            Some(drop) => Ok(Some(Reaction {
                number,
                to_ban: journal.ban(attack.source).map_or(f64::NAN, since),
                to_drop: since(*drop),
                refused: refusals.len() - REFUSED as usize,
            })),
            None if Instant::now() >= deadline => bail!("{} refusals and no drop", refusals.len()),
            None => Ok(None),
        }
    })
}

/// Waits until a banned source is answered, which must not be before its time.
fn expired(lab: &Lab, attack: &Attack<'_>, since: Instant) -> Result<()> {
    let ttl = Duration::from_secs(u64::from(TTL_S));
    let within = ttl.saturating_sub(since.elapsed()) + Duration::from_secs(5);
    interrupt::until("the ban to expire", within, || {
        let answered = attacker::is_answered(lab.client_namespace(), attack)?;
        // The kernel counts whole seconds.
        ensure!(
            !answered || since.elapsed() + Duration::from_secs(2) >= ttl,
            "answered before the ban's end"
        );
        Ok(answered.then_some(()))
    })
}

/// As the logs write addresses.
fn text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}
