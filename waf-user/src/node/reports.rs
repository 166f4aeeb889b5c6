//! Samples of packets dropped in the kernel -> events.

use std::net::{IpAddr, SocketAddr};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Duration, Instant};
use waf_common::address::Address;
use waf_common::outcome::Outcome;
use waf_common::report::Report;

use super::NodeError;
use super::react::new_id;
use crate::event::{Event, Journal, Reason, Stage};
use crate::kernel::Reports;
use crate::model::{Mono, TenantId, Wall};

/// Events of kernel drops in a second: they are samples of a flood, and the log is for people.
const EVENTS_PER_S_MAX: u32 = 100;

/// The ring of samples, registered with the node's runtime.
pub(super) struct Samples {
    ring: AsyncFd<Reports>,
}

impl Samples {
    /// # Errors
    /// The runtime cannot watch the ring.
    #[expect(
        deprecated,
        reason = "its successor is unsafe for types that may close their descriptor; the ring keeps its own"
    )]
    pub fn watch(reports: Reports) -> Result<Self, NodeError> {
        let ring = AsyncFd::with_interest(reports, Interest::READABLE).map_err(NodeError::Reports)?;
        Ok(Self { ring })
    }

    /// Runs for ever: a sample in, an event out. Those above the rate are taken from the ring and forgotten; the
    /// kernel's counters have counted their packets all the same.
    pub async fn run(mut self, journal: Journal) {
        let (mut second, mut written) = (Instant::now(), 0);
        loop {
            let Ok(mut ready) = self.ring.readable_mut().await else { return };
            while let Some(report) = ready.get_inner_mut().take() {
                if second.elapsed() >= Duration::from_secs(1) {
                    (second, written) = (Instant::now(), 0);
                }
                if written < EVENTS_PER_S_MAX {
                    written += 1;
                    journal.event(event(&report, Mono::now(), Wall::now()));
                }
            }
            ready.clear_ready();
            drop(ready);
            tokio::task::yield_now().await;
        }
    }
}

fn event(report: &Report, now: Mono, wall: Wall) -> Event {
    let mono = Mono(report.time_ns);
    let time = Wall(wall.0.saturating_sub(now.since_ns(mono) / 1_000_000));
    let address = |octets| IpAddr::from(Address { octets });
    let outcome = Outcome::from_number(report.outcome).map_or("unknown outcome", Outcome::text);
    Event {
        id: new_id(time, mono),
        time,
        mono,
        tenant: TenantId::new(u64::from(report.tenant)).ok(),
        client: SocketAddr::new(address(report.source), report.source_port),
        server: SocketAddr::new(address(report.destination), report.destination_port),
        stage: Stage::Kernel,
        reason: Reason::KernelDrop,
        refused: true,
        status: None,
        method: String::new(),
        host: String::new(),
        target: String::new(),
        sni: None,
        score: 0,
        matches: Vec::new(),
        detail: format!("{outcome} (one sample of {} such packets)", report.sample.max(1)),
    }
}

#[cfg(test)]
mod tests;
