//! Another process in the place of the one that serves, under load; and one that does not come to serve.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use waf_user::node::control_sock;
use xtask::interrupt;
use xtask::lab::settings::WWW;
use xtask::lab::topology::ATTACKER;
use xtask::lab::{Carrier, LabOptions, Request as Visit, Scheme};

use super::{load, nothing_lost, status};
use crate::stage;

const TAKE_OVERS: usize = 20;
/// Kept connections get 5 s for their last request, and the old process then ends.
const OLD_ENDS: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(10);

#[test]
fn twenty_take_overs_lose_no_request_and_no_ban() {
    stage::with_lab(LabOptions::default(), |lab| {
        let attacker = Carrier::A.client(ATTACKER);
        let ban = ["ban", "add", &format!("{attacker}/32"), "--scope", "node", "--ttl-s", "600"];
        lab.node(Carrier::A).waf_text(&ban)?;
        let knock = Visit::get(Scheme::Http, WWW, Carrier::A.service(10), "/")
            .from(attacker)
            .connect_within(Duration::from_millis(300));
        let first = status(lab)?.generation;
        let load = load(lab, &[Carrier::A]);
        let mut old = Vec::new();
        for number in 1..=TAKE_OVERS {
            old.push(lab.take_over(Carrier::A).with_context(|| format!("take-over {number}"))?);
            let status = status(lab)?;
            ensure!(status.generation == first + number as u64, "take-over {number}: {status:?}");
            ensure!(status.bans == 1, "take-over {number}: {status:?}");
            ensure!(lab.client().send(&knock)?.is_none(), "take-over {number}: the banned were answered");
        }
        for daemon in old {
            let status = daemon.wait(OLD_ENDS)?;
            ensure!(status.success(), "an old process {status}");
        }
        let tally = load.stop();
        nothing_lost(&tally)?;
        println!(
            "{TAKE_OVERS} take-overs, {} requests, none lost; {} connections told to close",
            tally.answered, tally.told
        );
        lab.node(Carrier::A).admin("/readyz").map(drop)
    });
}

#[test]
fn a_process_that_does_not_come_to_serve_leaves_the_old_one_serving() {
    stage::with_lab(LabOptions::default(), |lab| {
        let file = lab.node(Carrier::A).config().to_owned();
        let plain = fs::read_to_string(&file)?;
        let table = [
            ("wrong before it asks", plain.replace("ratio = 0.5", "ratio = 5"), "out of range"),
            ("wrong after it asked", plain.replace("127.0.0.1:9900", "192.0.2.1:9900"), "192.0.2.1:9900"),
        ];
        let before = status(lab)?;
        let load = load(lab, &[Carrier::A]);
        for (name, text, expected) in table {
            fs::write(&file, text)?;
            let failed = lab.process(Carrier::A, &["--take-over"])?;
            let log = failed.log().to_owned();
            let ended = failed.wait(SOON)?;
            let said = fs::read_to_string(log)?;
            fs::write(&file, &plain)?;
            ensure!(ended.code() == Some(1) && said.contains(expected), "{name}: {ended}: {said}");
            serves_as_before(lab).context(name)?;
        }
        gone_in_the_middle(lab.node(Carrier::A).state())?;
        serves_as_before(lab).context("gone in the middle")?;
        ensure!(status(lab)? == before, "the node has changed: {:?}", status(lab)?);
        nothing_lost(&load.stop())?;
        // And it can still be taken over from.
        let old = lab.take_over(Carrier::A)?;
        ensure!(old.wait(OLD_ENDS)?.success(), "the old process ends well");
        Ok(())
    });
}

/// A process that asks, is given everything, and dies.
fn gone_in_the_middle(state: &std::path::Path) -> Result<()> {
    let mut stream = UnixStream::connect(control_sock::path(state))?;
    stream.write_all(b"{\"command\":\"take-over\"}\n")?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    ensure!(line.contains("handed-over"), "{line}");
    Ok(())
}

fn serves_as_before(lab: &xtask::lab::Lab) -> Result<()> {
    interrupt::until("the old process to listen for operators again", SOON, || {
        let serves = status(lab).is_ok_and(|status| format!("{:?}", status.phase) == "Serving");
        Ok((serves && lab.node(Carrier::A).admin("/readyz").is_ok()).then_some(()))
    })?;
    let visit = Visit::get(Scheme::Https, WWW, Carrier::A.service(10), "/");
    ensure!(lab.client().answer(&visit)?.status == 200, "a clean request is refused");
    let prefix = format!("{}/32", Carrier::A.client(ATTACKER));
    lab.node(Carrier::A).waf_text(&["ban", "add", &prefix, "--scope", "node", "--ttl-s", "60"])?;
    let listed = lab.node(Carrier::A).map("BLOCK_EXACT")?.as_array().map_or(0, Vec::len);
    ensure!(listed == 1, "{listed} bans in the kernel: it writes the maps again");
    lab.node(Carrier::A).waf_text(&["ban", "remove", &prefix, "--scope", "node"]).map(drop)
}
