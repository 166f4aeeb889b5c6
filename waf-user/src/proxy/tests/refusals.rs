//! What is refused before the rules: it is answered, the connection ends, the origin never hears of it.

use super::harness::{Client, lab};
use crate::model::{Ban, BanOrigin, BanScope, TenantId};
use crate::proxy::{Command, Lists};

/// name, bytes, status, label of the event.
const SMUGGLED: &[(&str, &str, u16, &str)] = &[
    (
        "CL.TE",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        400,
        "length_and_encoding",
    ),
    (
        "TE.TE",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        400,
        "encoding_repeated",
    ),
    (
        "unknown coding",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        501,
        "encoding_unknown",
    ),
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\nGET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n",
        400,
        "length_repeated",
    ),
    (
        "signed length",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: +1\r\n\r\na",
        400,
        "length_invalid",
    ),
    (
        "underscores",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent_Length: 1\r\n\r\na",
        400,
        "field_name_lookalike",
    ),
    (
        "space before the colon",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length : 1\r\n\r\na",
        400,
        "space_before_colon",
    ),
    ("fold", "GET / HTTP/1.1\r\nHost: a.test\r\nA: b\r\n c\r\n\r\n", 400, "obsolete_fold"),
    ("bare LF", "GET / HTTP/1.1\nHost: a.test\n\n", 400, "bare_lf"),
    ("bare CR", "GET / HTTP/1.1\r\nHost: a.test\r\nA: b\rGET /evil HTTP/1.1\r\n\r\n", 400, "bare_cr"),
    (
        "chunk size",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
        400,
        "chunk_size",
    ),
    (
        "chunk LF",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
        400,
        "bare_lf",
    ),
    (
        "chunk end",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        400,
        "chunk_end",
    ),
    (
        "chunk overflow",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
        400,
        "chunk_size_overflow",
    ),
    ("two Hosts", "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", 400, "host_repeated"),
    ("no Host", "GET / HTTP/1.1\r\n\r\n", 400, "host_missing"),
    ("absolute against Host", "GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "host_conflict"),
    ("HTTP/0.9", "GET /\r\n", 505, "http_09"),
    ("h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version"),
    (
        "h2c",
        "GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n",
        400,
        "upgrade_h2c",
    ),
    ("CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", 501, "method_refused"),
    ("TRACE", "TRACE / HTTP/1.1\r\nHost: a.test\r\n\r\n", 501, "method_refused"),
    ("TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\u{7f}", 400, "method_character"),
    ("other tenant's Host", "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n", 421, "misdirected"),
    ("nobody's Host", "GET / HTTP/1.1\r\nHost: c.test\r\n\r\n", 421, "misdirected"),
    ("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 421, "misdirected"),
];

#[test]
fn refused_and_closed_and_never_forwarded() {
    lab(
        |_| {},
        |lab| async move {
            for (name, bytes, status, label) in SMUGGLED {
                let before = lab.events().len();
                let mut client = lab.client().await;
                client.send(bytes.as_bytes()).await;
                let answer = client.answer("GET").await;
                assert_eq!(answer.status(), *status, "{name}");
                assert_eq!(answer.field("connection").as_deref(), Some("close"), "{name}");
                client.stream.set_zero_linger().expect("an option");
                assert_eq!(client.rest().await, b"", "{name}: nothing after the refusal");
                let events = lab.events_at_least(before + 1).await;
                let event = events.last().expect("an event");
                assert_eq!(event["reason"], *label, "{name}");
                assert_eq!(event["status"], *status, "{name}");
                let id = event["id"].as_str().expect("an id");
                assert!(answer.text().contains(id), "{name}: the page shows the event's id");
            }
            assert_eq!(lab.origin.connections(), 0, "the origin heard of nothing");
        },
    );
}

/// Pieces of requests in an order that a small generator picks: the same on every run.
#[test]
fn garbage_kills_nothing() {
    const PIECES: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n",
        b"POST /echo HTTP/1.1\r\nHost: a.test\r\n",
        b"Host: a.test\r\n",
        b"Content-Length: 4\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"4\r\nabcd\r\n",
        b"0\r\n\r\n",
        b"\0\xff\x80",
        b"\n",
        b"%00%ff/../",
    ];
    lab(
        |_| {},
        |lab| async move {
            let mut random = 1_u64;
            for _ in 0..300 {
                let mut client = lab.client().await;
                let mut bytes = Vec::new();
                for _ in 0..6 {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    bytes.extend_from_slice(PIECES[(random >> 33) as usize % PIECES.len()]);
                }
                client.send(&bytes).await;
                // The worker may have closed after a refusal: then there is no half to close.
                let _closed = tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await;
                client.rest().await;
            }
            assert_eq!(lab.ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await.status(), 200);
        },
    );
}

#[test]
fn limits_are_answered() {
    lab(
        |_| {},
        |lab| async move {
            let long = format!("GET /{} HTTP/1.1\r\nHost: a.test\r\n\r\n", "a".repeat(9000));
            let large = format!("GET / HTTP/1.1\r\nHost: a.test\r\nA: {}\r\n\r\n", "a".repeat(33_000));
            let many = format!("GET / HTTP/1.1\r\nHost: a.test\r\n{}\r\n", "A: b\r\n".repeat(100));
            for (request, status) in [(long, 414), (large, 431), (many, 431)] {
                assert_eq!(lab.ask(&request).await.status(), status);
            }
            assert_eq!(lab.origin.connections(), 0);
        },
    );
}

#[test]
fn a_truncated_body_reaches_nobody() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(b"POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabc").await;
            tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.expect("half a close");
            let rest = client.rest().await;
            assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"), "{}", rest.escape_ascii());
            assert!(lab.origin.asked().is_empty());
        },
    );
}

#[test]
fn a_default_site_answers_for_unknown_names_only() {
    lab(
        |site| site.default = site.fqdn.as_str() == "a.test",
        |lab| async move {
            let rows = [("a.test", 200), ("unknown.test", 200), ("127.0.0.1", 200), ("b.test", 421)];
            for (host, status) in rows {
                let answer = lab.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
                assert_eq!(answer.status(), status, "{host}");
            }
            assert_eq!(lab.ask("GET / HTTP/1.0\r\n\r\n").await.status(), 200, "no Host at all");
        },
    );
}

fn ban(scope: BanScope, prefix: &str, origin: BanOrigin) -> Ban {
    Ban { scope, prefix: prefix.parse().expect("a prefix"), origin, tenant: None, expires: None }
}

#[test]
fn listed_sources_are_closed() {
    lab(
        |_| {},
        |lab| async move {
            let tenant = BanScope::Tenant(TenantId::new(1).expect("a tenant"));
            lab.lists.store(std::sync::Arc::new(Lists::new(
                [],
                [
                    ban(BanScope::Node, "127.0.0.5/32", BanOrigin::List),
                    ban(tenant, "127.0.0.6/32", BanOrigin::Operator),
                ],
            )));
            let request = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
            for (source, reason) in [("127.0.0.5", "blocked"), ("127.0.0.6", "banned")] {
                let before = lab.events().len();
                let mut client = Client::connect(lab.a, source).await;
                // The worker may have closed already.
                let _sent = tokio::io::AsyncWriteExt::write_all(&mut client.stream, request).await;
                assert_eq!(client.rest().await, b"", "{source}");
                let events = lab.events_at_least(before + 1).await;
                assert_eq!(events.last().expect("an event")["reason"], reason, "{source}");
            }
            let mut other = Client::connect(lab.b, "127.0.0.6").await;
            other.send(b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").await;
            assert_eq!(other.answer("GET").await.status(), 200, "another tenant's visitor");
            assert_eq!(lab.ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await.status(), 200);
        },
    );
}

#[test]
fn a_ban_closes_what_is_open() {
    lab(
        |_| {},
        |lab| async move {
            let mut covered = Client::connect(lab.a, "127.0.0.7").await;
            let mut other = Client::connect(lab.a, "127.0.0.8").await;
            for client in [&mut covered, &mut other] {
                client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
                assert_eq!(client.answer("GET").await.status(), 200);
            }
            let tenant = BanScope::Tenant(TenantId::new(1).expect("a tenant"));
            let ban = ban(tenant, "127.0.0.7/32", BanOrigin::Rules);
            lab.commands.send(Command::CloseBanned(ban)).await.expect("the worker lives");
            assert_eq!(covered.rest().await, b"");
            other.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(other.answer("GET").await.status(), 200);
            assert_eq!(lab.events_at_least(1).await[0]["reason"], "banned");
        },
    );
}

#[test]
fn a_ban_cuts_off_what_is_under_way() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = Client::connect(lab.a, "127.0.0.7").await;
            client.send(b"GET /wait HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            lab.origin.reached().await;
            let tenant = BanScope::Tenant(TenantId::new(1).expect("a tenant"));
            let ban = ban(tenant, "127.0.0.7/32", BanOrigin::Rules);
            lab.commands.send(Command::CloseBanned(ban)).await.expect("the worker lives");
            assert_eq!(client.rest().await, b"");
            let events = lab.events_at_least(1).await;
            assert_eq!(events.len(), 1, "{events:?}");
            assert_eq!((&events[0]["reason"], &events[0]["target"]), (&"banned".into(), &"/wait".into()));
            let records = lab.lines("requests.jsonl");
            assert_eq!(records.len(), 1, "a request that was cut off is told of too");
            assert_eq!(records[0]["request_id"], events[0]["id"]);
        },
    );
}

#[test]
fn a_ban_spares_who_is_allowed() {
    lab(
        |_| {},
        |lab| async move {
            let tenant = BanScope::Tenant(TenantId::new(1).expect("a tenant"));
            let allow = [
                (BanScope::Node, "127.0.0.6/32".parse().expect("a prefix")),
                (tenant, "127.0.0.7/32".parse().expect("a prefix")),
            ];
            lab.lists.store(std::sync::Arc::new(Lists::new(allow, [])));
            let mut clients = Vec::new();
            for source in ["127.0.0.6", "127.0.0.7", "127.0.0.8"] {
                let mut client = Client::connect(lab.a, source).await;
                client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
                assert_eq!(client.answer("GET").await.status(), 200);
                clients.push(client);
            }
            let ban = ban(tenant, "127.0.0.0/24", BanOrigin::Operator);
            lab.commands.send(Command::CloseBanned(ban)).await.expect("the worker lives");
            let mut covered = clients.pop().expect("a client");
            assert_eq!(covered.rest().await, b"");
            for client in &mut clients {
                client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
                assert_eq!(client.answer("GET").await.status(), 200);
            }
            assert_eq!(lab.events_at_least(1).await.len(), 1);
        },
    );
}

#[test]
fn what_the_lists_refuse_is_closed_when_they_are_looked_at() {
    lab(
        |_| {},
        |lab| async move {
            let mut listed = Client::connect(lab.a, "127.0.0.7").await;
            let mut other = Client::connect(lab.a, "127.0.0.8").await;
            for client in [&mut listed, &mut other] {
                client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
                assert_eq!(client.answer("GET").await.status(), 200);
            }
            let tenant = BanScope::Tenant(TenantId::new(1).expect("a tenant"));
            let bans = [ban(tenant, "127.0.0.7/32", BanOrigin::Fleet)];
            lab.lists.store(std::sync::Arc::new(Lists::new([], bans)));
            lab.commands.send(Command::CloseListed).await.expect("the worker lives");
            assert_eq!(listed.rest().await, b"");
            other.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(other.answer("GET").await.status(), 200);
            assert_eq!(lab.events_at_least(1).await[0]["reason"], "banned");
        },
    );
}

#[test]
fn tls_names_must_agree() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.tls_client("a.test").await.expect("a handshake");
            client.send(b"GET /one HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(client.answer("GET").await.status(), 200);
            client.send(b"GET /two HTTP/1.1\r\nHost: b.test\r\n\r\n").await;
            assert_eq!(client.answer("GET").await.status(), 421, "SNI against Host");
            assert!(lab.tls_client("c.test").await.is_err(), "nobody's name");
            let asked = lab.origin.asked();
            assert_eq!(asked.len(), 1);
            assert!(asked[0].head.contains("X-Forwarded-Proto: https\r\n"), "{}", asked[0].head);
            let events = lab.events_at_least(2).await;
            assert_eq!(events[0]["reason"], "misdirected");
            assert_eq!(events[1]["reason"], "tls_unrecognized_name");
        },
    );
}

#[test]
fn tenant_lists_hold_after_sni() {
    lab(
        |_| {},
        |lab| async move {
            let tenant = BanScope::Tenant(TenantId::new(1).expect("a tenant"));
            let refusal = ban(tenant, "127.0.0.0/8", BanOrigin::Operator);
            lab.lists.store(std::sync::Arc::new(Lists::new([], [refusal])));
            assert!(lab.tls_client("a.test").await.is_err(), "banned for this tenant");
            let mut client = lab.tls_client("b.test").await.expect("the other tenant's visitor");
            client.send(b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").await;
            assert_eq!(client.answer("GET").await.status(), 200);
        },
    );
}
