//! The life of connections: kept, pipelined, drained.

use std::time::Duration;

use super::harness::{DEADLINE, lab, lab_holding};
use crate::model::TenantId;
use crate::proxy::limits::Times;
use crate::proxy::{Command, Drain};

#[test]
fn one_connection_many_requests() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            for n in 0..5 {
                client.send(format!("GET /{n} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes()).await;
                assert_eq!(client.answer("GET").await.status(), 200);
            }
            client.send(b"GET /last HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n").await;
            let answer = client.answer("GET").await;
            assert_eq!(answer.field("connection").as_deref(), Some("close"));
            assert_eq!(client.rest().await, b"");
            assert_eq!(lab.origin.connections(), 1, "the origin's connection is reused");
            assert_eq!(lab.origin.asked().len(), 6);
        },
    );
}

#[test]
fn the_last_answer_arrives_whole() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            client.send(b"GET /big HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n").await;
            client.stream.readable().await.expect("an answer begins");
            // What nobody reads any more must not make the socket reset the answer away.
            client.send(b"\r\n").await;
            assert_eq!(client.answer("GET").await.body.len(), 4_000_000);
        },
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            let mut bytes = Vec::new();
            for n in 0..10 {
                let body = format!("body {n}");
                let head =
                    format!("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: {}\r\n\r\n", body.len());
                bytes.extend_from_slice(head.as_bytes());
                bytes.extend_from_slice(body.as_bytes());
            }
            client.send(&bytes).await;
            for n in 0..10 {
                assert_eq!(client.answer("POST").await.text(), format!("body {n}"));
            }
        },
    );
}

#[test]
fn bytes_that_trickle_in() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.client().await;
            for byte in b"\r\nPOST /echo HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" {
                client.send(&[*byte]).await;
                tokio::task::yield_now().await;
            }
            assert_eq!(client.answer("POST").await.text(), "ok");
        },
    );
}

#[test]
fn tenants_share_no_origin_connection() {
    lab(
        |_| {},
        |lab| async move {
            for (address, host) in [(lab.a, "a.test"), (lab.b, "b.test"), (lab.a, "a.test")] {
                let mut client = super::harness::Client::connect(address, "127.0.0.1").await;
                client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
                assert_eq!(client.answer("GET").await.status(), 200, "{host}");
            }
            assert_eq!(lab.origin.connections(), 2);
        },
    );
}

#[test]
fn a_full_worker_closes_at_once() {
    lab_holding(
        2,
        Times::default(),
        |_| {},
        |lab| async move {
            let mut held = Vec::new();
            for _ in 0..2 {
                let mut client = lab.client().await;
                client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
                assert_eq!(client.answer("GET").await.status(), 200);
                held.push(client);
            }
            assert_eq!(lab.client().await.rest().await, b"");
            let events = lab.events_at_least(1).await;
            assert_eq!((events.len(), &events[0]["reason"]), (1, &"overloaded".into()));
            // Who is there already is served on, and who leaves makes room.
            let mut first = held.remove(0);
            first.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n").await;
            assert_eq!(first.answer("GET").await.status(), 200);
            assert_eq!(first.rest().await, b"");
            drop(first);
            while lab.metrics.expose().contains("waf_proxy_connections_open 2") {
                tokio::task::yield_now().await;
            }
            assert_eq!(lab.ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await.status(), 200);
        },
    );
}

#[test]
fn a_worker_holds_no_more_of_those_that_come_together() {
    lab_holding(
        2,
        Times::default(),
        |_| {},
        |lab| async move {
            // No turn of the runtime lies between: the worker finds all of them in its queue.
            let connect = |_| std::net::TcpStream::connect(lab.a).expect("the worker listens");
            let _held: Vec<_> = (0..5).map(connect).collect();
            let events = lab.events_at_least(3).await;
            assert!(events.iter().all(|event| event["reason"] == "overloaded"), "{events:?}");
            assert_eq!(events.len(), 3);
        },
    );
}

#[test]
fn a_drain_finishes_what_is_under_way() {
    lab(
        |_| {},
        |lab| async move {
            let mut idle = lab.client().await;
            idle.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(idle.answer("GET").await.status(), 200);
            let mut busy = lab.client().await;
            busy.send(b"GET /wait HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            lab.origin.reached().await;
            lab.commands.send(Command::Drain(Drain::at_once(DEADLINE))).await.expect("the worker lives");
            assert_eq!(idle.rest().await, b"", "the idle connection is closed");
            lab.origin.release();
            assert_eq!(busy.answer("GET").await.status(), 200);
            assert_eq!(busy.rest().await, b"", "then it is closed too");
            let worker = lab.worker.take().expect("a worker");
            worker.await.expect("serve returns");
            assert!(tokio::net::TcpStream::connect(lab.a).await.is_err(), "nothing is accepted");
        },
    );
}

#[test]
fn what_a_drain_cuts_off_is_told_of() {
    let short = Drain::at_once(Duration::from_millis(10));
    let (long, now) = (Drain::at_once(DEADLINE * 2), Drain::at_once(Duration::ZERO));
    for (name, drains) in [("at its deadline", vec![short]), ("told once more", vec![long, now])] {
        lab(
            |_| {},
            |lab| async move {
                let mut busy = lab.client().await;
                busy.send(b"GET /wait HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
                lab.origin.reached().await;
                let mut half = lab.client().await;
                half.send(b"GET /half HTTP/1.1\r\n").await;
                while !lab.metrics.expose().contains("waf_proxy_connections_open 2") {
                    tokio::task::yield_now().await;
                }
                for drain in drains {
                    lab.commands.send(Command::Drain(drain)).await.expect("the worker lives");
                }
                let worker = lab.worker.take().expect("a worker");
                worker.await.expect("serve returns");
                let records = lab.lines("requests.jsonl");
                assert_eq!(records.len(), 1, "{name}: {records:?}");
                assert_eq!(
                    (&records[0]["status"], &records[0]["verdict"]),
                    (&0.into(), &"error".into()),
                    "{name}"
                );
                let events = lab.events();
                let cut = events.iter().filter(|event| event["reason"] == "drain_deadline").count();
                assert_eq!((cut, events.len()), (2, 2), "{name}: {events:?}");
                let request = events.iter().find(|event| event["id"] == records[0]["request_id"]);
                assert_eq!(request.map(|event| &event["target"]), Some(&"/wait".into()), "{name}");
                assert!(
                    lab.metrics.expose().contains("waf_proxy_refusals_total{reason=\"drain_deadline\"} 2"),
                    "{name}"
                );
            },
        );
    }
}

#[test]
fn a_download_that_is_cut_off_is_counted_once() {
    lab(
        |_| {},
        |lab| async move {
            let mut client = lab.tls_client("a.test").await.expect("a handshake");
            client.send(b"GET /big HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            client.stream.tcp().readable().await.expect("an answer begins");
            let short = Drain::at_once(Duration::from_millis(200));
            lab.commands.send(Command::Drain(short)).await.expect("the worker lives");
            let worker = lab.worker.take().expect("a worker");
            worker.await.expect("serve returns");
            let counted = "waf_proxy_refusals_total{reason=\"drain_deadline\"} 1\n";
            assert!(lab.metrics.expose().contains(counted));
            assert_eq!(lab.events().len(), 1);
        },
    );
}

#[test]
fn the_kernel_half_is_told_whose_a_connection_to_a_shared_address_is() {
    lab(
        |_| {},
        |lab| async move {
            let mut alone = lab.client().await;
            alone.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
            assert_eq!(alone.answer("GET").await.status(), 200);
            assert_eq!(*lab.flows.0.lock().expect("no panic"), [], "an address of one tenant says it itself");

            let mut shared = lab.tls_client("b.test").await.expect("a handshake");
            for _ in 0..2 {
                shared.send(b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").await;
                assert_eq!(shared.answer("GET").await.status(), 200);
            }
            let told = lab.flows.0.lock().expect("no panic").clone();
            let tenant = TenantId::new(2).ok();
            assert!(matches!(told[..], [(_, told)] if told == tenant), "once, after SNI: {told:?}");
            drop(shared);
            let (port, _) = told[0];
            while lab.flows.0.lock().expect("no panic").len() < 2 {
                tokio::task::yield_now().await;
            }
            assert_eq!(lab.flows.0.lock().expect("no panic")[1], (port, None), "it is closed");
        },
    );
}
