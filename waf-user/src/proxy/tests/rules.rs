//! Verdicts of the rules on the wire, in each mode.

use std::sync::Arc;

use super::harness::{Client, lab, rules};
use crate::engine::limits::REQUEST_BODY_BYTES;
use crate::engine::{Levels, Settings};
use crate::model::{Ban, BanOrigin, BanScope, Mode, TenantId};
use crate::proxy::Lists;

const ATTACK: &str = "GET /?q=attack HTTP/1.1\r\nHost: a.test\r\n\r\n";

#[test]
fn denied_with_a_page() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(ATTACK.as_bytes()).await;
            let answer = client.answer("GET").await;
            assert_eq!(answer.status(), 403);
            assert_eq!(answer.field("x-added").as_deref(), Some("by-us"));
            assert!(!answer.text().contains("attack"), "nothing of the request is shown: {}", answer.text());
            let event = &lab.events_at_least(1).await[0];
            assert!(answer.text().contains(event["id"].as_str().expect("an id")));
            assert_eq!(event["refused"], true);
            assert_eq!(event["reason"], "rules");
            assert_eq!(event["rules"][0]["id"], 1);
            let record = &lab.lines("requests.jsonl")[0];
            assert_eq!((&record["verdict"], &record["status"]), (&"deny".into(), &403.into()));
            assert_eq!(record["request_id"], event["id"]);
            assert!(lab.origin.asked().is_empty());
            // The connection lives on: the request was read to its end.
            client.send(b"GET /ok HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(client.answer("GET").await.status(), 200);
            let seen: Vec<_> = lab.observed(2).await.iter().map(|seen| seen.refused).collect();
            assert_eq!(seen, [true, false]);
        },
    );
}

#[test]
fn bodies_are_judged() {
    lab(
        |_| {},
        |lab| async move {
            let form = "Host: a.test\r\nContent-Type: application/x-www-form-urlencoded\r\n";
            let padding = "x".repeat(100_000);
            let rows = [
                ("form", format!("POST / HTTP/1.1\r\n{form}Content-Length: 8\r\n\r\na=attack"), 403),
                (
                    "chunked form",
                    format!(
                        "POST / HTTP/1.1\r\n{form}Transfer-Encoding: chunked\r\n\r\n4\r\na=at\r\n4\r\ntack\r\n0\r\n\r\n"
                    ),
                    403,
                ),
                ("clean form", format!("POST / HTTP/1.1\r\n{form}Content-Length: 7\r\n\r\na=clean"), 200),
                (
                    "within the inspected prefix",
                    format!("POST / HTTP/1.1\r\n{form}Content-Length: 100011\r\n\r\nb={padding}&a=attack"),
                    403,
                ),
            ];
            for (name, request, status) in rows {
                assert_eq!(lab.ask(&request).await.status(), status, "{name}");
            }
            assert_eq!(lab.origin.asked().len(), 1);
        },
    );
}

#[test]
fn the_body_limit_of_the_rules_is_theirs() {
    // SecRequestBodyLimitAction; status of a body of the limit, and of one byte more.
    const RULE: &str = "SecRule ARGS \"@contains attack\" \"id:1,phase:2,deny\"";
    for (action, at, above) in [("Reject", 200, 413), ("ProcessPartial", 200, 200)] {
        let text = format!(
            "SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimitAction {action}\n{RULE}\n"
        );
        lab(
            |site| site.rules = rules(&text),
            |lab| async move {
                for (length, status) in [(REQUEST_BODY_BYTES, at), (REQUEST_BODY_BYTES + 1, above)] {
                    let body = "x".repeat(length);
                    let head = format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {length}\r\n\r\n");
                    assert_eq!(lab.ask(&(head + &body)).await.status(), status, "{action} {length}");
                }
            },
        );
    }
}

#[test]
fn drop_and_redirect() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(b"GET /dropme HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(client.rest().await, b"");
            let answer = lab.ask("GET /redirectme HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(answer.status(), 302);
            assert_eq!(answer.field("location").as_deref(), Some("https://else.test/"));
            let verdicts: Vec<_> =
                lab.lines("requests.jsonl").iter().map(|line| line["verdict"].clone()).collect();
            assert_eq!(verdicts, ["drop", "redirect"]);
            assert!(lab.origin.asked().is_empty());
        },
    );
}

#[test]
fn answers_are_judged() {
    lab(
        |site| site.settings = Settings::new(Levels::default(), Some(true)),
        |lab| async move {
            let rows = [("/leak", 403, 4), ("/secret", 403, 5)];
            for (path, status, rule) in rows {
                let answer = lab.ask(&format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n")).await;
                assert_eq!(answer.status(), status, "{path}");
                assert!(!answer.text().contains("the secret"), "{path}");
                let events = lab.events_at_least(1).await;
                assert_eq!(events.last().expect("an event")["rules"][0]["id"], rule, "{path}");
                assert!(
                    !lab.observed(1).await[0].refused,
                    "{path}: nobody is banned for what the origin answers"
                );
            }
            let answer =
                lab.ask("GET /plain HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: gzip\r\n\r\n").await;
            assert_eq!((answer.status(), answer.text().as_str()), (200, "fine"));
            assert_eq!(
                answer.field("content-length").as_deref(),
                Some("4"),
                "held back whole, so its length is known"
            );
            let head = lab.origin.asked().last().expect("asked").head.clone();
            assert!(head.contains("Accept-Encoding: identity\r\n") && !head.contains("gzip"), "{head}");
        },
    );
}

#[test]
fn phase_4_needs_no_body() {
    lab(
        |_| {},
        |lab| async move {
            // Bodies are not inspected here: what the rules say of one is not asked, what they say of the rest is.
            for (path, status) in [("/late", 403), ("/secret", 200)] {
                let answer = lab.ask(&format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n")).await;
                assert_eq!(answer.status(), status, "{path}");
            }
            let events = lab.events();
            assert_eq!(events.len(), 1);
            assert_eq!((&events[0]["rules"][0]["id"], &events[0]["refused"]), (&6.into(), &true.into()));
        },
    );
}

#[test]
fn detect_passes_and_tells() {
    lab(
        |site| site.mode = Mode::Detect,
        |lab| async move {
            for request in [
                ATTACK,
                "GET /dropme HTTP/1.1\r\nHost: a.test\r\n\r\n",
                "GET /leak HTTP/1.1\r\nHost: a.test\r\n\r\n",
            ] {
                assert_eq!(lab.ask(request).await.status(), 200, "{request}");
            }
            let events = lab.events_at_least(3).await;
            assert!(
                events.iter().all(|event| event["refused"] == false && event["reason"] == "rules"),
                "{events:?}"
            );
            let records = lab.lines("requests.jsonl");
            assert!(records.iter().all(|line| line["verdict"] == "pass"), "{records:?}");
            assert_eq!(records[0]["rules"], serde_json::json!([1]));
            let observed = lab.observed(records.len()).await;
            assert!(observed.iter().all(|seen| !seen.refused), "nobody is banned in detect mode");
        },
    );
}

#[test]
fn a_listed_visitor_does_not_cost_its_proxy_the_connection() {
    lab(
        |site| site.trusted_proxies = vec!["127.0.0.9/32".parse().expect("a net")],
        |lab| async move {
            let scope = BanScope::Tenant(TenantId::new(1).expect("a tenant"));
            let prefix = "192.0.2.7/32".parse().expect("a prefix");
            let ban = Ban { scope, prefix, origin: BanOrigin::Rules, tenant: None, expires: None };
            lab.lists.store(Arc::new(Lists::new([], [ban])));
            let mut client = Client::connect(lab.a, "127.0.0.9").await;
            for (visitor, status) in [("192.0.2.7", 403), ("192.0.2.8", 200), ("192.0.2.7", 403)] {
                let request = format!("GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: {visitor}\r\n\r\n");
                client.send(request.as_bytes()).await;
                assert_eq!(client.answer("GET").await.status(), status, "{visitor}");
            }
            let events = lab.events_at_least(2).await;
            assert_eq!(
                (&events[0]["reason"], &events[0]["client_ip"]),
                (&"banned".into(), &"192.0.2.7".into())
            );
        },
    );
}

#[test]
fn counters_move() {
    lab(
        |_| {},
        |lab| async move {
            lab.ask(ATTACK).await;
            lab.ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            lab.ask("GET / HTTP/1.1\r\n\r\n").await;
            lab.events_at_least(2).await;
            let text = lab.metrics.expose();
            let figures = [("pass", 1), ("deny", 1), ("error", 1), ("rules", 1), ("host_missing", 1)];
            for (label, figure) in figures {
                let end = format!("=\"{label}\"}} {figure}");
                assert!(text.lines().any(|line| line.ends_with(&end)), "{label} in {text}");
            }
        },
    );
}

#[test]
fn off_runs_no_rules() {
    lab(
        |site| site.mode = Mode::Off,
        |lab| async move {
            assert_eq!(lab.ask(ATTACK).await.status(), 200);
            assert!(lab.events().is_empty());
            assert_eq!(lab.lines("requests.jsonl")[0]["rules"], serde_json::json!([]));
        },
    );
}

#[test]
fn a_trusted_proxy_is_never_told_as_refused() {
    lab(
        |site| site.trusted_proxies = vec!["127.0.0.9/32".parse().expect("a net")],
        |lab| async move {
            // X-Forwarded-For through the proxy; the source told, and whether as refused.
            let rows = [(Some("192.0.2.7"), "192.0.2.7", true), (None, "127.0.0.9", false)];
            for (forwarded, source, refused) in rows {
                let mut client = Client::connect(lab.a, "127.0.0.9").await;
                let field = forwarded.map(|ip| format!("X-Forwarded-For: {ip}\r\n")).unwrap_or_default();
                client
                    .send(format!("GET /?q=attack HTTP/1.1\r\nHost: a.test\r\n{field}\r\n").as_bytes())
                    .await;
                assert_eq!(client.answer("GET").await.status(), 403);
                lab.lines("requests.jsonl");
                let observation = lab.observed(1).await[0];
                assert_eq!((observation.source.to_string().as_str(), observation.refused), (source, refused));
            }
        },
    );
}
