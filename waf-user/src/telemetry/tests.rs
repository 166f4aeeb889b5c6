//! The exposition as a scraper sees it, and counting from many threads.

use std::collections::HashSet;
use std::time::Duration;

use waf_common::outcome::{Counters, TenantCounters};

use super::{Metrics, OriginConnect, RequestVerdict};
use crate::event::{LossCounter, Reason};
use crate::model::{Generation, TenantId};

fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let page = metrics.expose();
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[track_caller]
fn assert_value(metrics: &Metrics, series: &str, expected: f64) {
    let got = value(metrics, series);
    assert!(got.is_some_and(|got| (got - expected).abs() < 1e-9), "{series}: {got:?} for {expected}");
}

fn tenant(id: u64) -> TenantId {
    TenantId::new(id).unwrap()
}

#[test]
fn every_count_has_its_series() {
    let metrics = Metrics::default();
    metrics.request(RequestVerdict::Deny, Duration::from_micros(150), Duration::from_millis(2));
    metrics.added_latency(Duration::from_micros(300));
    metrics.tenant_request(tenant(7), RequestVerdict::Deny);
    metrics.refused(Reason::Rules);
    metrics.refused(Reason::Rules);
    metrics.refused(Reason::Banned);
    for _ in 0..3 {
        metrics.connection_opened(1);
    }
    metrics.connection_closed(1);
    metrics.tls_handshake(true);
    metrics.tls_handshake(false);
    metrics.origin(OriginConnect::Reused);
    metrics.observations_lost(1);
    metrics.drop_event_lost();
    metrics.feedback_sources(12);
    metrics.feedback_sources_lost(1);
    metrics.bans_active(3);
    metrics.ban_not_made();
    metrics.generation(Generation(9));
    metrics.requests_lost(4);
    metrics.events_lost(5);
    metrics.request_limited(tenant(7));
    metrics.handshake_limited(tenant(7));
    metrics.handshake_limited(tenant(7));
    metrics.event_withheld();
    let rows = [
        ("waf_proxy_requests_total{verdict=\"deny\"}", 1.0),
        ("waf_proxy_requests_total{verdict=\"pass\"}", 0.0),
        ("waf_proxy_request_seconds_sum", 0.002),
        ("waf_proxy_request_seconds_count", 1.0),
        ("waf_proxy_request_seconds_bucket{le=\"0.001\"}", 0.0),
        ("waf_proxy_request_seconds_bucket{le=\"0.002\"}", 1.0),
        ("waf_proxy_request_seconds_bucket{le=\"+Inf\"}", 1.0),
        ("waf_proxy_added_seconds_count", 1.0),
        ("waf_engine_inspection_seconds_sum", 0.000_15),
        ("waf_proxy_tenant_requests_total{tenant=\"7\",verdict=\"deny\"}", 1.0),
        ("waf_proxy_refusals_total{reason=\"rules\"}", 2.0),
        ("waf_proxy_refusals_total{reason=\"banned\"}", 1.0),
        ("waf_proxy_refusals_total{reason=\"timeout\"}", 0.0),
        ("waf_proxy_connections_opened_total", 3.0),
        ("waf_proxy_connections_closed_total", 1.0),
        ("waf_proxy_connections_open", 2.0),
        ("waf_tls_handshakes_total{result=\"completed\"}", 1.0),
        ("waf_tls_handshakes_total{result=\"failed\"}", 1.0),
        ("waf_origin_connects_total{result=\"reused\"}", 1.0),
        ("waf_node_observations_lost_total", 1.0),
        ("waf_node_drop_events_lost_total", 1.0),
        ("waf_node_feedback_sources", 12.0),
        ("waf_node_feedback_sources_lost_total", 1.0),
        ("waf_node_bans", 3.0),
        ("waf_node_bans_not_made_total", 1.0),
        ("waf_node_snapshot_generation", 9.0),
        ("waf_event_request_lines_lost_total", 4.0),
        ("waf_event_lost_total", 5.0),
        ("waf_event_withheld_total", 1.0),
        ("waf_proxy_tenant_requests_limited_total{tenant=\"7\"}", 1.0),
        ("waf_proxy_tenant_handshakes_limited_total{tenant=\"7\"}", 2.0),
    ];
    for (series, expected) in rows {
        assert_value(&metrics, series, expected);
    }
}

#[test]
fn kernel_numbers_come_when_given() {
    let metrics = Metrics::default();
    assert!(!metrics.expose().contains("waf_kernel_"));
    let mut counters: Counters = bytemuck::Zeroable::zeroed();
    counters.drop_node = 17;
    metrics.kernel_counters(&counters);
    let of_tenant = TenantCounters { tenant: 7, _pad: 0, packets: 5, bytes: 600, drops: 2, syns: 1 };
    metrics.tenant_counters(&[(tenant(7), of_tenant), (tenant(8), of_tenant)]);
    metrics.tenant_counters(&[(tenant(7), of_tenant)]);
    metrics.xdp_mode("generic");
    for (series, expected) in [
        ("waf_kernel_packets_total{outcome=\"drop_node\"}", 17.0),
        ("waf_kernel_packets_total{outcome=\"pass_service\"}", 0.0),
        ("waf_kernel_tenant_packets_total{tenant=\"7\"}", 5.0),
        ("waf_kernel_tenant_bytes_total{tenant=\"7\"}", 600.0),
        ("waf_kernel_tenant_drops_total{tenant=\"7\"}", 2.0),
        ("waf_kernel_tenant_syns_total{tenant=\"7\"}", 1.0),
        ("waf_kernel_xdp_mode{mode=\"generic\"}", 1.0),
    ] {
        assert_value(&metrics, series, expected);
    }
    assert_eq!(value(&metrics, "waf_kernel_tenant_packets_total{tenant=\"8\"}"), None);
    let refusals = "waf_proxy_refusals_total{reason=\"kernel_drop\"}";
    assert_eq!(value(&metrics, refusals), None, "never counted: the kernel's own counters tell");
}

/// OpenMetrics: each family once, with help and type before its series, names of our form, an end mark.
#[test]
fn the_page_is_well_formed() {
    let metrics = Metrics::default();
    metrics.kernel_counters(&bytemuck::Zeroable::zeroed());
    metrics.tenant_counters(&[(tenant(7), bytemuck::Zeroable::zeroed())]);
    metrics.tenant_request(tenant(7), RequestVerdict::Pass);
    metrics.refused(Reason::Timeout);
    metrics.xdp_mode("native");
    let page = metrics.expose();
    assert!(page.ends_with("# EOF\n"));
    let mut families = HashSet::new();
    let mut current = "";
    for line in page.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(families.insert(name), "{name} twice");
            assert!(help.len() > 10, "{name}: {help}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            let modules = ["proxy", "engine", "tls", "origin", "event", "node", "kernel"];
            assert!(modules.contains(&name.split('_').nth(1).unwrap()), "{name}");
            current = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest.split(' ').next(), Some(current));
        } else {
            assert!(line.starts_with(current), "{line} in {current}");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(families.len() >= 20, "{}", families.len());
}

#[test]
fn bounds_belong_to_their_bucket() {
    let rows = [
        (Duration::ZERO, "0.00001", 1.0),
        (Duration::from_micros(10), "0.00001", 1.0),
        (Duration::from_micros(11), "0.00001", 0.0),
        (Duration::from_secs(60), "60.0", 1.0),
        (Duration::from_micros(60_000_001), "60.0", 0.0),
        (Duration::MAX, "+Inf", 1.0),
    ];
    for (duration, bound, expected) in rows {
        let metrics = Metrics::default();
        metrics.added_latency(duration);
        assert_value(&metrics, &format!("waf_proxy_added_seconds_bucket{{le=\"{bound}\"}}"), expected);
    }
}

#[test]
fn tenants_beyond_the_table_count_together() {
    let metrics = Metrics::default();
    let tenants = 10_000;
    for id in 1..=tenants {
        metrics.tenant_request(tenant(id), RequestVerdict::Pass);
    }
    let page = metrics.expose();
    let series = page.lines().filter(|line| line.starts_with("waf_proxy_tenant_requests_total"));
    let counts: Vec<u64> = series.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<u64>(), tenants);
    assert!(counts.len() <= 4_097, "{}", counts.len());
    assert!(value(&metrics, "waf_proxy_tenant_requests_total{tenant=\"other\",verdict=\"pass\"}").is_some());
}

#[test]
fn threads_lose_nothing() {
    let metrics = Metrics::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for id in 1..=1_000 {
                    metrics.request(RequestVerdict::Pass, Duration::ZERO, Duration::ZERO);
                    metrics.tenant_request(tenant(id % 50 + 1), RequestVerdict::Pass);
                    metrics.refused(if id % 2 == 0 { Reason::Banned } else { Reason::Timeout });
                }
            });
        }
    });
    assert_value(&metrics, "waf_proxy_requests_total{verdict=\"pass\"}", 4_000.0);
    assert_value(&metrics, "waf_proxy_refusals_total{reason=\"banned\"}", 2_000.0);
    assert_value(&metrics, "waf_proxy_refusals_total{reason=\"timeout\"}", 2_000.0);
    assert_value(&metrics, "waf_proxy_tenant_requests_total{tenant=\"9\",verdict=\"pass\"}", 80.0);
}
