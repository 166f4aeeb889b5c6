//! Numbers -> OpenMetrics text. The one place where metric names and their help texts stand: `waf_<module>_<noun>_<unit>`;
//! the encoder adds `_total` to counters.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, MetricEncoder, text as encoding,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use waf_common::outcome::{OUTCOMES, TenantCounters};

use super::fleet::FleetNumbers;
use super::histogram::Histogram;
use super::labels::{HandshakeResult, KernelTable, OriginConnect, Queue, ReloadResult, RequestVerdict};
use super::numbers::{KernelNumbers, Numbers};
use super::tenants::Limited;
use crate::event::Reason;

/// No exemplars are kept; the encoder wants to know their type all the same.
type NoLabels = [(&'static str, &'static str); 0];

/// The whole exposition. Empty if the encoder fails, which writing to a String does not.
pub fn text(numbers: &Arc<Numbers>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Arc::clone(numbers)));
    let mut text = String::new();
    match encoding::encode(&mut text, &registry) {
        Ok(()) => text,
        Err(fmt::Error) => String::new(),
    }
}

impl Collector for Numbers {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page { encoder };
        self.encode_requests(&mut page)?;
        self.encode_connections(&mut page)?;
        self.encode_node(&mut page)?;
        self.fleet.encode(&mut page)?;
        self.encode_kernel_tables(&mut page)?;
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner).encode(&mut page)
    }
}

impl Numbers {
    fn encode_requests(&self, page: &mut Page<'_>) -> fmt::Result {
        page.counters(
            "waf_proxy_requests",
            "Requests by what became of them",
            "verdict",
            self.requests.with(RequestVerdict::LABELS.iter().copied()),
        )?;
        page.histogram(
            "waf_proxy_request_seconds",
            "Time from a request's first byte to its answer's last",
            &self.request_duration,
        )?;
        page.histogram(
            "waf_proxy_added_seconds",
            "What the node added to a request's time: all but the waits for origin and visitor",
            &self.added,
        )?;
        page.histogram(
            "waf_engine_inspection_seconds",
            "Time a request spent in the rules",
            &self.inspection,
        )?;
        let mut tenants =
            page.family("waf_proxy_tenant_requests", "Requests by tenant", MetricType::Counter)?;
        for (tenant, verdict, count) in self.tenants.counts() {
            counter(&mut tenants, &[("tenant", tenant.as_str()), ("verdict", verdict)], count)?;
        }
        let families = [
            (
                "waf_proxy_tenant_requests_limited",
                "Requests beyond their tenant's share of a full node",
                Limited::Request,
            ),
            (
                "waf_proxy_tenant_handshakes_limited",
                "TLS handshakes beyond their tenant's share of a full node",
                Limited::Handshake,
            ),
        ];
        for (name, help, what) in families {
            let mut family = page.family(name, help, MetricType::Counter)?;
            for (tenant, count) in self.tenants.limited_counts(what) {
                counter(&mut family, &[("tenant", tenant)], count)?;
            }
        }
        page.counters(
            "waf_proxy_refusals",
            "Refused requests and connections by reason",
            "reason",
            // Packets dropped in the kernel are not refused here: `waf_kernel_packets` counts them, by outcome.
            self.refusals
                .with(Reason::all().map(Reason::label))
                .filter(|(label, _)| *label != Reason::KernelDrop.label()),
        )
    }

    fn encode_connections(&self, page: &mut Page<'_>) -> fmt::Result {
        let (opened, closed) = (self.connections_opened.each().sum(), self.connections_closed.each().sum());
        page.counter("waf_proxy_connections_opened", "Client connections accepted", opened)?;
        page.counter("waf_proxy_connections_closed", "Client connections closed", closed)?;
        page.gauge("waf_proxy_connections_open", "Client connections open", opened.saturating_sub(closed))?;
        let workers = self.connections_opened.each().zip(self.connections_closed.each());
        let workers = workers.take(usize::try_from(self.workers.load(Relaxed)).unwrap_or(0));
        page.gauges(
            "waf_proxy_worker_connections_open",
            "Client connections open by worker",
            "worker",
            workers
                .enumerate()
                .map(|(worker, (opened, closed))| (worker.to_string(), opened.saturating_sub(closed))),
        )?;
        page.counters(
            "waf_tls_handshakes",
            "TLS handshakes with clients by result",
            "result",
            self.handshakes.with(HandshakeResult::LABELS.iter().copied()),
        )?;
        page.counters(
            "waf_origin_connects",
            "Wishes for an origin connection by result",
            "result",
            self.origin_connects.with(OriginConnect::LABELS.iter().copied()),
        )
    }

    fn encode_node(&self, page: &mut Page<'_>) -> fmt::Result {
        let load = |number: &AtomicU64| number.load(Relaxed);
        page.counter(
            "waf_event_lost",
            "Events lost to a full queue or a log error",
            load(&self.events_lost),
        )?;
        page.counter(
            "waf_event_withheld",
            "Refusals beyond a tenant's share that only the counters tell of: there are too many alike",
            load(&self.events_withheld),
        )?;
        page.counter(
            "waf_event_request_lines_lost",
            "Request log lines lost to a full queue or a log error",
            load(&self.request_lines_lost),
        )?;
        page.counter(
            "waf_node_observations_lost",
            "Observations that found the feedback queue full",
            load(&self.observations_lost),
        )?;
        page.counter(
            "waf_node_drop_events_lost",
            "Samples of kernel drops above the rate of their events",
            load(&self.drop_events_lost),
        )?;
        page.gauge(
            "waf_node_feedback_sources",
            "Sources in the feedback table",
            load(&self.feedback_sources),
        )?;
        page.counter(
            "waf_node_feedback_sources_lost",
            "Sources that the full feedback table could not take",
            load(&self.feedback_sources_lost),
        )?;
        page.gauge("waf_node_bans", "Bans in force", load(&self.bans_active))?;
        page.counter("waf_node_bans_made", "Bans that refused requests made", load(&self.bans_made))?;
        page.counter(
            "waf_node_bans_not_made",
            "Bans by rules that met a protected source or a full table",
            load(&self.bans_not_made),
        )?;
        page.gauge(
            "waf_node_ban_repeaters",
            "Sources remembered, whose next ban lasts longer",
            load(&self.repeaters),
        )?;
        page.counter(
            "waf_node_ban_repeaters_lost",
            "Sources that the full table of repeaters could not take",
            load(&self.repeaters_lost),
        )?;
        page.counters(
            "waf_node_reloads",
            "New configurations by what became of them",
            "result",
            self.reloads.with(ReloadResult::LABELS.iter().copied()),
        )?;
        page.gauges(
            "waf_node_queue_length",
            "What waits in a queue",
            "queue",
            self.queues.with(Queue::LABELS.iter().copied()),
        )?;
        page.counter(
            "waf_node_flows_lost",
            "Connections to shared addresses whose tenant the kernel half was not told",
            load(&self.flows_lost),
        )?;
        page.gauge(
            "waf_node_snapshot_generation",
            "Generation of the snapshot served",
            load(&self.generation),
        )
    }
}

impl Numbers {
    /// Nothing without the kernel half.
    fn encode_kernel_tables(&self, page: &mut Page<'_>) -> fmt::Result {
        if self.kernel_entries_max.each().all(|max| max == 0) {
            return Ok(());
        }
        let labels = || KernelTable::LABELS.iter().copied();
        page.gauges(
            "waf_kernel_entries",
            "Entries in a table of the kernel half",
            "table",
            self.kernel_entries.with(labels()),
        )?;
        page.gauges(
            "waf_kernel_entries_max",
            "Entries that a table of the kernel half can hold",
            "table",
            self.kernel_entries_max.with(labels()),
        )
    }
}

impl FleetNumbers {
    /// Nothing without [control].
    fn encode(&self, page: &mut Page<'_>) -> fmt::Result {
        if !self.is_member.load(Relaxed) {
            return Ok(());
        }
        let load = |number: &AtomicU64| number.load(Relaxed);
        page.gauge(
            "waf_node_control_connected",
            "1 while a stream with control is open",
            load(&self.connected),
        )?;
        page.gauge(
            "waf_node_document_generation",
            "Generation of control's document that is served",
            load(&self.served),
        )?;
        page.gauge(
            "waf_node_document_generation_heard",
            "Generation of the document that control sent last; another than the one served is skew",
            load(&self.heard),
        )?;
        page.gauge(
            "waf_node_certificate_ends_seconds",
            "When the node's certificate towards control ends, seconds since 1970",
            load(&self.certificate_ends_s),
        )?;
        page.counter(
            "waf_node_bans_untold",
            "Bans and lifts that control was not told of: the queue towards it was full",
            load(&self.untold),
        )
    }
}

impl KernelNumbers {
    fn encode(&self, page: &mut Page<'_>) -> fmt::Result {
        if let Some(mode) = self.xdp_mode {
            let mut family = page.family("waf_kernel_xdp_mode", "How XDP is attached", MetricType::Gauge)?;
            family.encode_family(&[("mode", mode)])?.encode_gauge(&1_u64)?;
        }
        if let Some(counters) = &self.counters {
            page.counters(
                "waf_kernel_packets",
                "Packets seen by the kernel half by outcome",
                "outcome",
                OUTCOMES.iter().map(|outcome| (outcome.name(), counters.of(*outcome))),
            )?;
        }
        if self.tenants.is_empty() {
            return Ok(());
        }
        type Count = fn(&TenantCounters) -> u64;
        let families: [(_, _, Count); 4] = [
            ("waf_kernel_tenant_packets", "Packets for a tenant's services", |counters| counters.packets),
            ("waf_kernel_tenant_bytes", "Bytes for a tenant's services", |counters| counters.bytes),
            ("waf_kernel_tenant_drops", "Packets dropped for a tenant's services", |counters| counters.drops),
            ("waf_kernel_tenant_syns", "Connection attempts at a tenant's services", |counters| {
                counters.syns
            }),
        ];
        for (name, help, count) in families {
            let mut family = page.family(name, help, MetricType::Counter)?;
            for (tenant, counters) in &self.tenants {
                counter(&mut family, &[("tenant", tenant.to_string())], count(counters))?;
            }
        }
        Ok(())
    }
}

/// The text under way.
struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Page<'_> {
    fn family<'s>(
        &'s mut self,
        name: &'s str,
        help: &'static str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.encoder.encode_descriptor(name, help, None, kind)
    }

    fn counter(&mut self, name: &'static str, help: &'static str, count: u64) -> fmt::Result {
        self.family(name, help, MetricType::Counter)?.encode_counter::<NoLabels, _, u64>(&count, None)
    }

    fn gauge(&mut self, name: &'static str, help: &'static str, value: u64) -> fmt::Result {
        self.family(name, help, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn gauges(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        levels: impl IntoIterator<Item = (impl EncodeLabelValue, u64)>,
    ) -> fmt::Result {
        let mut family = self.family(name, help, MetricType::Gauge)?;
        levels
            .into_iter()
            .try_for_each(|(value, level)| family.encode_family(&[(label, value)])?.encode_gauge(&level))
    }

    fn counters(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> fmt::Result {
        let mut family = self.family(name, help, MetricType::Counter)?;
        counts.into_iter().try_for_each(|(value, count)| counter(&mut family, &[(label, value)], count))
    }

    fn histogram(&mut self, name: &'static str, help: &'static str, histogram: &Histogram) -> fmt::Result {
        let now = histogram.distribution();
        let mut family = self.family(name, help, MetricType::Histogram)?;
        family.encode_histogram::<NoLabels>(now.sum_s, now.count, &now.buckets, None)
    }
}

fn counter(family: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, count: u64) -> fmt::Result {
    family.encode_family(labels)?.encode_counter::<NoLabels, _, u64>(&count, None)
}
