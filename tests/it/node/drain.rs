//! The end of a node: what is new is refused at once, what is idle closed, what is under way finished.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use waf_tests::load::Connection;
use waf_tests::namespace::inside;
use xtask::interrupt;
use xtask::lab::settings::WWW;
use xtask::lab::{Carrier, Lab, LabOptions};

use super::http;
use crate::stage;

/// Requests under way get 10 s.
const DRAINED: Duration = Duration::from_secs(12);
/// A refusal comes in a millisecond; silence would take seconds.
const AT_ONCE: Duration = Duration::from_millis(500);

#[test]
fn sigterm_finishes_what_is_under_way_and_refuses_what_is_new() {
    ends_well(|lab| {
        let pid = lab.node(Carrier::A).daemon().expect("the node runs").pid();
        Ok(kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?)
    });
}

#[test]
fn node_ctl_drain_does_the_same() {
    ends_well(|lab| lab.node(Carrier::A).waf_text(&["node-ctl", "drain"]).map(drop));
}

fn ends_well(end: fn(&Lab) -> Result<()>) {
    stage::with_lab(LabOptions::default(), |lab| {
        let target = http(Carrier::A.service(10));
        let open = || inside(lab.client_namespace(), || Connection::open(target));
        let (mut idle, mut busy) = (open()?, open()?);
        ensure!(idle.ask(WWW, "/")?.status == 200, "a clean request is refused");
        let head = format!("POST / HTTP/1.1\r\nHost: {WWW}\r\nContent-Length: 10\r\n\r\nfirst");
        busy.send(head.as_bytes())?;
        let under_way = || {
            let open = lab.node(Carrier::A).metric("waf_proxy_connections_open ")?;
            Ok(open.first().is_some_and(|(_, count)| *count >= 2.0).then_some(()))
        };
        interrupt::until("both connections to be known", AT_ONCE * 4, under_way)?;

        end(lab)?;
        ensure!(idle.is_ended(), "the idle connection is closed");
        let start = Instant::now();
        let refused = open().err().map(|error| error.kind());
        ensure!(refused == Some(ErrorKind::ConnectionRefused), "a new connection: {refused:?}");
        ensure!(start.elapsed() < AT_ONCE, "refused after {:?} only", start.elapsed());
        busy.send(b"other")?;
        let answer = busy.answer()?;
        ensure!(answer.status == 200, "what was under way ends with {answer:?}");
        ensure!(busy.is_ended(), "and its connection too");

        let daemon = lab.node_mut(Carrier::A).take_daemon()?;
        let status = daemon.wait(DRAINED)?;
        ensure!(status.success(), "the node {status}");
        Ok(())
    });
}
