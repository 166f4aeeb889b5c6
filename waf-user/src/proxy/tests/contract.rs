//! A tenant beyond its share of a full node: answered 429 or closed before the handshake, counted, told of; others are
//! served.

use super::harness::{Client, Lab, lab};
use crate::proxy::snapshot::Site;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
/// Of one tenant in one second; see the allowance.
const EVENTS_PER_S: usize = 20;

/// Tenant 1 may have nothing more.
fn shut(site: &mut Site) {
    if site.tenant.number() == 1 {
        site.allowance.requests.limit(Some(0));
        site.allowance.handshakes.limit(Some(0));
    }
}

fn shows(lab: &Lab, series: &str) -> bool {
    lab.metrics.expose().lines().any(|line| line == series)
}

#[test]
fn a_request_beyond_the_share_is_told_when_to_come_again() {
    lab(shut, |lab| async move {
        let mut client = lab.client().await;
        for _ in 0..2 {
            client.send(REQUEST).await;
            let answer = client.answer("GET").await;
            assert_eq!(answer.status(), 429);
            assert_eq!(answer.field("retry-after").as_deref(), Some("1"));
            assert_eq!(answer.field("connection"), None, "the connection lives on");
        }
        assert_eq!(lab.origin.connections(), 0, "the origin hears of nothing");
        let events = lab.events_at_least(2).await;
        assert_eq!((&events[0]["reason"], &events[0]["status"]), (&"over_contract".into(), &429.into()));
        assert_eq!(events[0]["tenant"], 1);
        assert!(shows(&lab, "waf_proxy_tenant_requests_limited_total{tenant=\"1\"} 2"));
        assert!(shows(&lab, "waf_proxy_refusals_total{reason=\"over_contract\"} 2"));
        let mut other = Client::connect(lab.b, "127.0.0.1").await;
        other.send(b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").await;
        assert_eq!(other.answer("GET").await.status(), 200, "another tenant");
    });
}

#[test]
fn a_body_that_was_not_read_ends_the_connection() {
    lab(shut, |lab| async move {
        let mut client = lab.client().await;
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc").await;
        let answer = client.answer("POST").await;
        assert_eq!((answer.status(), answer.field("connection").as_deref()), (429, Some("close")));
    });
}

/// A flood makes neither a flood of events nor a gap in the counts.
#[test]
fn a_flood_is_counted_whole_and_told_of_in_part() {
    const REQUESTS: usize = 500;
    lab(shut, |lab| async move {
        let began = crate::model::Mono::now();
        for _ in 0..REQUESTS / 50 {
            let mut client = lab.client().await;
            for _ in 0..50 {
                client.send(REQUEST).await;
                assert_eq!(client.answer("GET").await.status(), 429);
            }
        }
        let seconds = (crate::model::Mono::now().seconds() - began.seconds()) as usize + 1;
        let told = lab.events_at_least(EVENTS_PER_S).await.len();
        assert!(told <= seconds * EVENTS_PER_S, "{told} events in {seconds} s");
        let refused = format!("waf_proxy_refusals_total{{reason=\"over_contract\"}} {REQUESTS}");
        assert!(shows(&lab, &refused));
        assert!(shows(&lab, &format!("waf_event_withheld_total {}", REQUESTS - told)));
    });
}

#[test]
fn a_handshake_beyond_the_share_is_not_made() {
    lab(shut, |lab| async move {
        assert!(lab.tls_client("a.test").await.is_err());
        let events = lab.events_at_least(1).await;
        assert_eq!((&events[0]["reason"], &events[0]["sni"]), (&"over_contract".into(), &"a.test".into()));
        assert!(shows(&lab, "waf_proxy_tenant_handshakes_limited_total{tenant=\"1\"} 1"));
        assert!(lab.tls_client("b.test").await.is_ok(), "another tenant on the same address");
    });
}

/// A rule's own 429 is a verdict: whether another try helps is not known.
#[test]
fn what_a_rule_answers_names_no_time() {
    let busy = |site: &mut Site| {
        site.rules =
            super::harness::rules("SecRuleEngine On\nSecAction \"id:9,phase:1,deny,status:429,log\"\n");
    };
    lab(busy, |lab| async move {
        let answer = lab.ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
        assert_eq!((answer.status(), answer.field("retry-after")), (429, None));
    });
}

/// Both ways count, whatever the framing.
#[test]
fn bytes_are_counted_both_ways() {
    let allowance = std::sync::Arc::new(crate::proxy::Allowance::default());
    let held = std::sync::Arc::clone(&allowance);
    let change = move |site: &mut Site| {
        if site.tenant.number() == 1 {
            site.allowance = std::sync::Arc::clone(&held);
        }
    };
    lab(change, |lab| async move {
        let body = "x".repeat(10_000);
        let request =
            format!("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let answer = lab.ask(&request).await;
        assert_eq!(answer.status(), 200);
        let least = (body.len() + answer.body.len()) as u64;
        assert!((least..least + 2_000).contains(&allowance.bytes()), "{} of {least}", allowance.bytes());
        assert_eq!((allowance.requests.asked(), allowance.requests.refused()), (1, 0));
    });
}
