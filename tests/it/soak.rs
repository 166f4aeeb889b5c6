//! Programs replaced under flood: every frame has its one answer, whichever program gave it. Short here; a thousand
//! replacements under `cargo xtask test --soak`.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use waf_tests::frames::{Frame, ICMP, SYN};
use waf_tests::load::Load;
use waf_tests::namespace::inside;
use waf_tests::wire;
use xtask::lab::settings::WWW;
use xtask::lab::topology::{ATTACKER, EDGE};
use xtask::lab::{Carrier, Lab, LabOptions};
use xtask::{interrupt, process};

use crate::stage;

const SWAPS: u32 = 10;
const SWAPS_SOAK: u32 = 1000;
const VISITORS: usize = 4;
/// Frames of each kind in a burst: at most 20,000 frames a second offered, which a cable takes without losing any.
const BURST: usize = 50;
const EVERY: Duration = Duration::from_millis(5);
/// For the last frames on the cable to be counted.
const SETTLED: Duration = Duration::from_secs(5);

#[test]
fn swaps_under_flood_lose_no_packet_and_let_none_through() {
    let swaps = if std::env::var_os("WAF_SOAK").is_some() { SWAPS_SOAK } else { SWAPS };
    stage::with_lab(LabOptions::default(), |lab| {
        let attacker = Carrier::A.client(ATTACKER);
        lab.node(Carrier::A).waf_text(&[
            "ban",
            "add",
            &format!("{attacker}/32"),
            "--scope",
            "node",
            "--ttl-s",
            "86400",
        ])?;
        let before = Counts::of(lab)?;
        let handle = lab.client_namespace().path();
        let target = (Carrier::A.service(10), 80).into();
        let enter = move || waf_tests::namespace::enter(&handle);
        let load = Load::start(VISITORS, WWW, &[target], enter);
        let start = Instant::now();
        let (sent, swapped) = flooded(lab, || swap(lab, swaps))?;
        swapped?;
        let took = start.elapsed();
        let tally = load.stop();
        ensure!(tally.lost.is_empty(), "{} requests lost: {:?}", tally.lost.len(), tally.lost.first());
        let counts = interrupt::until("the last frames to be counted", SETTLED, || {
            let counts = Counts::of(lab)?.since(&before);
            Ok((counts.replies >= sent && counts.dropped >= sent).then_some(counts))
        });
        let counts = counts.or_else(|_| Counts::of(lab).map(|now| now.since(&before)))?;
        ensure!(counts.lost_on_cable == 0, "the cable itself lost {} frames", counts.lost_on_cable);
        ensure!(counts.replies == sent, "{sent} good packets sent, {} answered", counts.replies);
        ensure!(counts.dropped == sent, "{sent} blocked packets sent, {} dropped", counts.dropped);
        println!(
            "{swaps} swaps in {:.1} s, {} good and as many blocked packets at {} a second each, {} requests: none lost, \
             none through",
            took.as_secs_f64(),
            sent,
            sent / took.as_secs().max(1),
            tally.answered
        );
        Ok(())
    });
}

fn swap(lab: &Lab, swaps: u32) -> Result<()> {
    for number in 1..=swaps {
        lab.node(Carrier::A).waf_text(&["kernel", "swap"]).with_context(|| format!("swap {number}"))?;
    }
    Ok(())
}

/// Sends both kinds of frames while `work` runs; how many of each.
fn flooded<T>(lab: &Lab, work: impl FnOnce() -> T) -> Result<(u64, T)> {
    let to = inside(lab.carrier_namespace(Carrier::A), || wire::hardware_address(EDGE))?;
    let device = Carrier::A.client_device();
    let from = inside(lab.client_namespace(), || wire::hardware_address(device))?;
    let service = Carrier::A.service(10);
    let addressed = |mut frame: Frame| {
        (frame.mac_destination, frame.mac_source) = (to, from);
        frame.build()
    };
    let bad = addressed(Frame::tcp((Carrier::A.client(ATTACKER), 40_000), (service, 80), SYN));
    let good = addressed(echo(Carrier::A.client(2), service));
    let burst: Vec<Vec<u8>> = (0..BURST).flat_map(|_| [good.clone(), bad.clone()]).collect();
    let stop = AtomicBool::new(false);
    let namespace = lab.client_namespace().path();
    thread::scope(|scope| {
        let sender = scope.spawn(|| -> Result<u64> {
            waf_tests::namespace::enter(&namespace);
            let (mut sent, mut next) = (0, Instant::now());
            while !stop.load(Ordering::Relaxed) {
                wire::send(device, &burst)?;
                sent += BURST as u64;
                next = (next + EVERY).max(Instant::now());
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            Ok(sent)
        });
        let result = work();
        stop.store(true, Ordering::Relaxed);
        let sent = sender.join().map_err(|_| anyhow!("the flood's thread panicked"))??;
        Ok((sent, result))
    })
}

/// An echo request with its checksum, which the answering stack wants right.
fn echo(source: IpAddr, destination: IpAddr) -> Frame {
    const MESSAGE: [u8; 8] = [8, 0, 0xe5, 0xca, 0x12, 0x34, 0, 1];
    Frame::new(source, destination, ICMP, MESSAGE.to_vec())
}

/// What is counted where.
struct Counts {
    /// Echo replies that the client's stack took in.
    replies: u64,
    /// Frames that the node's kernel half dropped for a ban of the node's scope.
    dropped: u64,
    /// Frames that the cable had no room for.
    lost_on_cable: u64,
}

impl Counts {
    fn of(lab: &Lab) -> Result<Self> {
        let client = lab.client_namespace();
        let snmp = process::text(client.command("cat").arg("/proc/net/snmp"))?;
        let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Icmp: "));
        let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let reply = names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == "InEchoReps");
        let replies = reply.and_then(|(_, value)| value.parse().ok()).context("no InEchoReps")?;
        let counters = lab.node(Carrier::A).map("COUNTERS")?;
        let cpus = counters[0]["formatted"]["values"].as_array().context("counters by CPU")?;
        let dropped = cpus.iter().filter_map(|cpu| cpu["value"]["drop_node"].as_u64()).sum();
        let device = Carrier::A.client_device();
        let shown = process::text(client.command("ip").args(["-j", "-s", "link", "show", "dev", device]))?;
        let links: serde_json::Value = serde_json::from_str(&shown)?;
        let lost = links[0]["stats64"]["tx"]["dropped"].as_u64();
        let lost_on_cable = lost.with_context(|| format!("no count of what {device} lost"))?;
        Ok(Self { replies, dropped, lost_on_cable })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            replies: self.replies - before.replies,
            dropped: self.dropped - before.dropped,
            lost_on_cable: self.lost_on_cable - before.lost_on_cable,
        }
    }
}
