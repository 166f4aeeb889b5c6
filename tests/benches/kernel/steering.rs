//! What CPUMAP costs and saves the receiving CPU: the same clean packets as live frames (BPF_F_TEST_XDP_LIVE_FRAMES), so
//! that they truly reach a socket, once through the stack on the receiving CPU, once sent to the other CPU. Wall time of
//! the receiving CPU per packet; what the queue to the other CPU loses is said beside it.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use aya::programs::{TestRun, TestRunAttrs, TestRunOptions};
use waf_common::service::{CONFIG_ACTIVE, CONFIG_CPUMAP};
use waf_tests::frames::Frame;
use waf_tests::namespace::inside;
use xtask::bench::Line;
use xtask::process;

use crate::measure::between;
use crate::stage::Stage;
use crate::{CPU, clean, say};

/// Frames of one run; a queue to a CPU holds 2,048.
const PACKETS: u32 = 100_000;
const BATCH: u32 = 64;
/// The flow is one, so is its worker: both are given the other CPU.
const WORKERS: u16 = 2;
const SETTLED: Duration = Duration::from_millis(200);

pub fn run(stage: &Stage) -> Result<()> {
    clean::fill(stage)?;
    for worker in 0..WORKERS {
        stage.maps.set_worker_cpu(worker, CPU as u32 + 1)?;
    }
    let mut lost = Vec::new();
    inside(&stage.node, || -> Result<()> {
        // Full at once: a packet's way ends at the socket, not in a reader.
        let _socket = UdpSocket::bind("10.1.0.0:443").context("a socket at the service")?;
        between(
            "K4cpu",
            "clean UDP packet to its socket, with cpumap",
            "without, same CPU",
            || {
                let before = arrived(stage)?;
                let time = flood(stage, CONFIG_ACTIVE | CONFIG_CPUMAP)?;
                settle(stage)?;
                lost.push(1.0 - (arrived(stage)? - before) as f64 / f64::from(PACKETS));
                Ok(time)
            },
            || flood(stage, CONFIG_ACTIVE),
        )
    })?;
    lost.sort_by(f64::total_cmp);
    let lost = lost.get(lost.len() / 2).context("no run")?;
    say(&Line::Note(format!(
        "K4cpu: the receiving CPU's time only; at the full rate of one CPU the queue to the other lost {:.0} % of one \
         flow's packets (median)",
        lost * 100.0
    )));
    Ok(())
}

/// Nanoseconds of the receiving CPU per frame.
fn flood(stage: &Stage, flags: u32) -> Result<f64> {
    stage.configure(flags, 0)?;
    let mut frame = Frame::udp(
        (Ipv4Addr::new(10, 9, 0, 2).into(), 40_000),
        (Ipv4Addr::new(10, 1, 0, 0).into(), 443),
        &[0; 18],
    );
    // Live frames come in by the loopback, whose hardware address is zero.
    frame.mac_destination = [0; 6];
    let frame = frame.build();
    let options = TestRunOptions {
        data_in: Some(&frame),
        repeat: PACKETS,
        attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
        ..TestRunOptions::new()
    };
    let start = Instant::now();
    stage.filter.test_run(options).context("BPF_PROG_TEST_RUN with live frames")?;
    Ok(start.elapsed().as_nanos() as f64 / f64::from(PACKETS))
}

/// Waits until the other CPU has worked off its queue.
fn settle(stage: &Stage) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut before = arrived(stage)?;
    while Instant::now() < deadline {
        std::thread::sleep(SETTLED);
        let now = arrived(stage)?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
    bail!("datagrams arrive for ever")
}

/// Datagrams that reached the socket, whether it had room or not.
fn arrived(stage: &Stage) -> Result<u64> {
    let text = process::text(stage.node.command("cat").arg("/proc/net/snmp"))?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let pairs: Vec<(&str, u64)> =
        names.split(' ').zip(values.split(' ').map(|value| value.parse().unwrap_or(0))).collect();
    let of = |name: &str| pairs.iter().find(|(have, _)| *have == name).map_or(0, |(_, value)| *value);
    ensure!(!pairs.is_empty(), "/proc/net/snmp has no Udp lines");
    Ok(of("InDatagrams") + of("RcvbufErrors"))
}
