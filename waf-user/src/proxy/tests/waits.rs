//! What happens when somebody keeps us waiting: short waits, so that the tests are.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::harness::{Client, lab_within};
use crate::config::OriginUrl;
use crate::origin::Upstreams;
use crate::proxy::limits::Times;

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn a_head_that_does_not_end() {
    lab_within(
        Times { header_read: SHORT, ..Times::default() },
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(b"GET / HTTP/1.1\r\nHost: a.t").await;
            assert_eq!(client.answer("GET").await.status(), 408);
            assert_eq!(client.rest().await, b"");
            assert_eq!(lab.events_at_least(1).await[0]["reason"], "timeout");
            let mut silent = lab.client().await;
            assert_eq!(silent.rest().await, b"", "who says nothing is told nothing");
            assert_eq!(lab.events().len(), 1);
        },
    );
}

#[test]
fn a_body_that_stops() {
    lab_within(
        Times { body_idle: SHORT, ..Times::default() },
        |_| {},
        |lab| async move {
            // Within the inspected part, and beyond it.
            for sent in [3, 200_000] {
                let mut client = lab.client().await;
                let head = "POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Type: x/y\r\nContent-Length: 300000\r\n\r\n";
                client.send(head.as_bytes()).await;
                client.send(&vec![b'x'; sent]).await;
                assert_eq!(client.answer("POST").await.status(), 408, "{sent}");
                let events = lab.events_at_least(1).await;
                assert_eq!(events.last().expect("an event")["reason"], "timeout", "{sent}");
            }
            assert!(lab.origin.asked().is_empty(), "half a request is no request");
        },
    );
}

#[test]
fn an_idle_connection() {
    lab_within(
        Times { keep_alive_idle: SHORT, ..Times::default() },
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(client.answer("GET").await.status(), 200);
            assert_eq!(client.rest().await, b"");
            assert!(lab.events().is_empty());
        },
    );
}

#[test]
fn a_line_end_after_a_body_is_no_request() {
    lab_within(
        Times { header_read: SHORT, ..Times::default() },
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(b"POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nok\r\n").await;
            assert_eq!(client.answer("POST").await.text(), "ok");
            assert_eq!(client.rest().await, b"", "idle, not late");
            assert!(lab.events().is_empty());
        },
    );
}

#[test]
fn an_origin_that_does_not_answer() {
    lab_within(
        Times { origin_first_byte: SHORT, ..Times::default() },
        |_| {},
        |lab| async move {
            let answer = lab.ask("GET /wait HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(answer.status(), 504);
            let event = &lab.events_at_least(1).await[0];
            assert_eq!((&event["stage"], &event["reason"]), (&"origin".into(), &"timeout".into()));
        },
    );
}

#[test]
fn a_connection_that_the_origin_closed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a mode");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    lab_within(
        Times { pool_sweep: SHORT, ..Times::default() },
        move |site| {
            let url = OriginUrl::parse(&url).expect("a URL");
            site.upstreams = Upstreams::new(vec![url], vec!["127.0.0.0/8".parse().expect("a net")]);
        },
        |lab| async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            let mut client = lab.client().await;
            client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            let (mut origin, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 1024];
            assert!(origin.read(&mut request).await.expect("a request") > 0);
            origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.expect("an answer");
            assert_eq!(client.answer("GET").await.status(), 200);
            origin.shutdown().await.expect("half a close");
            assert_eq!(origin.read(&mut request).await.expect("an end"), 0, "the worker closes it too");
        },
    );
}

#[test]
fn a_tls_hello_that_does_not_come() {
    lab_within(
        Times { handshake: SHORT, ..Times::default() },
        |_| {},
        |lab| async move {
            let mut client = Client::connect(lab.tls, "127.0.0.1").await;
            client.send(b"\x16\x03\x01").await;
            client.rest().await;
            let event = &lab.events_at_least(1).await[0];
            assert_eq!((&event["stage"], &event["reason"]), (&"tls".into(), &"timeout".into()));
        },
    );
}

#[test]
fn garbage_on_the_tls_port() {
    lab_within(
        Times::default(),
        |_| {},
        |lab| async move {
            let mut client = Client::connect(lab.tls, "127.0.0.1").await;
            client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            client.rest().await;
            let event = &lab.events_at_least(1).await[0];
            assert_eq!((&event["stage"], &event["reason"]), (&"tls".into(), &"tls_handshake".into()));
        },
    );
}
