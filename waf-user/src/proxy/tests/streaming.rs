//! Bodies both ways, of every framing, and origins that misbehave.

use super::harness::lab;
use crate::http::Framing;

#[test]
fn answers_of_every_framing() {
    // path, method, status, body, Content-Length told
    let rows = [
        ("/chunked", "GET", 200, "abcde", None),
        ("/until-close", "GET", 200, "until close", None),
        ("/204", "GET", 204, "", None),
        ("/304", "GET", 304, "", Some("99")),
        ("/interim", "GET", 200, "ok", Some("2")),
        ("/hop", "GET", 200, "ok", Some("2")),
        ("/head", "HEAD", 200, "", Some("0")),
    ];
    lab(
        |_| {},
        move |lab| async move {
            let mut client = lab.client().await;
            for (path, method, status, body, length) in rows {
                client.send(format!("{method} {path} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes()).await;
                let answer = client.answer(method).await;
                assert_eq!((answer.status(), answer.text().as_str()), (status, body), "{path}");
                assert_eq!(answer.field("content-length").as_deref(), length, "{path}");
                assert_eq!(answer.field("x-added").as_deref(), Some("by-us"), "{path}");
                for hop in ["x-hop", "keep-alive", "connection"] {
                    assert_eq!(answer.field(hop), None, "{path}");
                }
            }
            assert_eq!(lab.lines("requests.jsonl").len(), rows.len());
        },
    );
}

#[test]
fn http_10_gets_no_chunks() {
    lab(
        |_| {},
        |lab| async move {
            let answer = lab.ask("GET /chunked HTTP/1.0\r\nHost: a.test\r\n\r\n").await;
            assert_eq!((answer.text().as_str(), answer.head.framing()), ("abcde", Framing::UntilClose));
            let mut client = lab.client().await;
            for _ in 0..2 {
                client.send(b"GET /hop HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n").await;
                let answer = client.answer("GET").await;
                assert_eq!(answer.field("connection").as_deref(), Some("keep-alive"));
            }
        },
    );
}

#[test]
fn request_bodies_reach_the_origin() {
    let long = "x".repeat(1_000_000);
    lab(
        |_| {},
        move |lab| async move {
            let mut client = lab.client().await;
            let head = "POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/octet-stream\r\n";
            let rows = [
                (format!("{head}Content-Length: 0\r\n\r\n"), String::new(), "Content-Length: 0\r\n"),
                (format!("{head}Content-Length: 5\r\n\r\nhello"), "hello".into(), "Content-Length: 5\r\n"),
                (
                    format!(
                        "{head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: r\r\n\r\n"
                    ),
                    "abcde".into(),
                    "Content-Length: 5\r\n",
                ),
                (
                    format!("{head}Content-Length: 1000000\r\n\r\n{long}"),
                    long.clone(),
                    "Content-Length: 1000000\r\n",
                ),
                (
                    format!("{head}Transfer-Encoding: chunked\r\n\r\nf4240\r\n{long}\r\n0\r\n\r\n"),
                    long.clone(),
                    "Transfer-Encoding: chunked\r\n",
                ),
            ];
            for (request, body, framing) in rows {
                client.send(request.as_bytes()).await;
                let answer = client.answer("POST").await;
                assert!(answer.text() == body, "{} bytes came back", answer.body.len());
                let asked = lab.origin.asked();
                let asked = asked.last().expect("asked");
                assert!(asked.body == body.as_bytes(), "{} bytes went up", asked.body.len());
                assert!(asked.head.contains(framing), "{}", asked.head);
                assert!(!asked.head.contains("T: r"), "trailers are dropped: {}", asked.head);
            }
        },
    );
}

#[test]
fn large_answers_stream() {
    lab(
        |_| {},
        |lab| async move {
            let answer = lab.ask("GET /big HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(answer.body.len(), 4_000_000);
            assert!(answer.body.iter().all(|byte| *byte == b'b'));
        },
    );
}

#[test]
fn expect_is_answered_by_us() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client
                .send(b"POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
                .await;
            assert_eq!(client.answer("POST").await.status(), 100);
            client.send(b"ok").await;
            assert_eq!(client.answer("POST").await.text(), "ok");
            assert!(!lab.origin.asked()[0].head.to_ascii_lowercase().contains("expect"));
            // Refused by its head: the body is not asked for.
            client
                .send(b"POST /redirectme HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
                .await;
            assert_eq!(client.answer("POST").await.status(), 302);
        },
    );
}

#[test]
fn an_early_answer_comes_through() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            let head =
                "POST /early HTTP/1.1\r\nHost: a.test\r\nContent-Type: x/y\r\nContent-Length: 400000\r\n\r\n";
            client.send(head.as_bytes()).await;
            client.send(&vec![b'x'; 200_000]).await;
            let answer = client.answer("POST").await;
            assert_eq!((answer.status(), answer.text().as_str()), (413, "big!"));
            assert_eq!(
                answer.field("connection").as_deref(),
                Some("close"),
                "no request can follow half a body"
            );
        },
    );
}

#[test]
fn broken_origins() {
    // path, status, reason
    let rows = [
        ("/both-lengths", 502, "origin_broken"),
        ("/junk", 502, "origin_broken"),
        ("/switch", 502, "origin_broken"),
        ("/always-die", 502, "origin_broken"),
    ];
    lab(
        |_| {},
        move |lab| async move {
            for (path, status, reason) in rows {
                let answer = lab.ask(&format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n")).await;
                assert_eq!(answer.status(), status, "{path}");
                let events = lab.events_at_least(1).await;
                let event = events.last().expect("an event");
                assert_eq!(event["reason"], reason, "{path}: {event}");
                assert!(answer.text().contains(event["id"].as_str().expect("an id")), "{path}");
            }
            let mut client = lab.client().await;
            client.send(b"GET /short HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            let rest = String::from_utf8_lossy(&client.rest().await).into_owned();
            assert!(rest.contains("Content-Length: 10") && rest.ends_with("short"), "{rest}");
        },
    );
}

#[test]
fn what_follows_an_answer_answers_nobody() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            for _ in 0..3 {
                client.send(b"GET /extra HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
                assert_eq!(client.answer("GET").await.text(), "ok");
            }
            assert_eq!(lab.origin.connections(), 3, "a connection with a leftover is not used again");
        },
    );
}

#[test]
fn a_dead_reused_connection_is_tried_once_more() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(client.answer("GET").await.status(), 200);
            // On a connection that served one request the origin dies of this; on a new one it answers.
            client.send(b"GET /die HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(client.answer("GET").await.status(), 200);
            assert_eq!(lab.origin.connections(), 2);
            client.send(b"POST /die HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n").await;
            assert_eq!(client.answer("POST").await.status(), 502, "POST is not sent twice");
        },
    );
}

#[test]
fn no_origin_at_all() {
    let dead =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    lab(
        move |site| {
            let url = crate::config::OriginUrl::parse(&format!("http://{dead}")).expect("a URL");
            let networks = vec!["127.0.0.0/8".parse().expect("a net")];
            site.upstreams = crate::origin::Upstreams::new(vec![url], networks);
        },
        |lab| async move {
            let answer = lab.ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(answer.status(), 502);
            let events = lab.events_at_least(1).await;
            assert_eq!(events[0]["reason"], "origin_unreachable");
            assert_eq!(events[0]["stage"], "origin");
        },
    );
}
