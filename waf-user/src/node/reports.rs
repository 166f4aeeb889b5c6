//! Samples of packets dropped in the kernel -> events, or one more that is counted as not told of.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use waf_common::address::Address;
use waf_common::outcome::Outcome;
use waf_common::report::Report;

use super::NodeError;
use super::drop_gate::DropGate;
use super::react::new_id;
use crate::event::{Event, Journal, Reason, Stage};
use crate::kernel::Reports;
use crate::model::{Mono, TenantId, Wall};
use crate::telemetry::Metrics;

/// Samples taken at once, before other tasks of the node have their turn: where every drop is reported, a flood fills the
/// ring faster than it is read.
const SAMPLES: usize = 256;

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

    /// Runs for ever: a sample in, an event out, or one more lost to the rate.
    pub async fn run(mut self, journal: Journal, metrics: Arc<Metrics>) {
        let mut gate = DropGate::default();
        loop {
            let Ok(mut ready) = self.ring.readable_mut().await else { return };
            let ring = ready.get_inner_mut();
            if tell(|| ring.take(), &mut gate, &journal, &metrics) {
                ready.clear_ready();
            }
            drop(ready);
            tokio::task::yield_now().await;
        }
    }
}

/// Tells of the samples that are there, at most [`SAMPLES`]. Whether that was all of them.
fn tell(
    mut take: impl FnMut() -> Option<Report>,
    gate: &mut DropGate,
    journal: &Journal,
    metrics: &Metrics,
) -> bool {
    for _ in 0..SAMPLES {
        let Some(report) = take() else { return true };
        let now = Mono::now();
        if gate.passes(&report, now) {
            journal.event(event(&report, now, Wall::now()));
        } else {
            metrics.drop_event_lost();
        }
    }
    false
}

fn event(report: &Report, now: Mono, wall: Wall) -> Event {
    let mono = Mono(report.time_ns);
    let time = Wall(wall.0.saturating_sub(now.since_ns(mono) / 1_000_000));
    let address = |octets| IpAddr::from(Address { octets });
    let outcome = Outcome::from_number(report.outcome).map_or("unknown outcome", Outcome::text);
    let client = SocketAddr::new(address(report.source), report.source_port);
    let server = SocketAddr::new(address(report.destination), report.destination_port);
    let why = (Stage::Kernel, Reason::KernelDrop);
    Event {
        tenant: TenantId::new(u64::from(report.tenant)).ok(),
        detail: format!("{outcome} (one sample of {} such packets)", report.sample.max(1)),
        ..Event::without_request(new_id(time, mono), (time, mono), (client, server), why)
    }
}

#[cfg(test)]
mod tests;
