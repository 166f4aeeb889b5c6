//! Steps about what fails: a daemon that is killed, a carrier that is gone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::bans::SILENCE;
use super::evidence::{bans, blocked};
use crate::interrupt;
use crate::lab::settings::WWW;
use crate::lab::topology::{ATTACKER, EDGE};
use crate::lab::{CARRIERS, Carrier, Lab, Request, Scheme};

/// Attempts of the banned source while the daemon is dead.
const ATTEMPTS: u64 = 5;
/// Requests of the client that knows both addresses.
const REQUESTS: u32 = 20;
/// How long that client waits for a connection before it tries the other address.
const PATIENCE: Duration = Duration::from_secs(1);
/// Until carrier A answers again once its link is back.
const BACK: Duration = Duration::from_secs(10);

/// A banned source stays dropped with no daemon, and also after the daemon's return.
///
/// # Errors
/// It gets through, or the other carrier does not serve meanwhile.
pub fn killed(lab: &mut Lab) -> Result<String> {
    let carrier = Carrier::A;
    let attacker = carrier.client(ATTACKER);
    let prefix = format!("{attacker}/32");
    let address = lab.place(WWW, carrier)?.v4;
    lab.serving(WWW, carrier)?.waf_text(&["ban", "add", &prefix, "--scope", "node", "--ttl-s", "600"])?;
    let knock = Request::get(Scheme::Http, WWW, address, "/").from(attacker).connect_within(SILENCE);
    ensure!(lab.client().send(&knock)?.is_none(), "{attacker} is banned and was answered");

    lab.serving_mut(WWW, carrier)?.kill()?;
    let before = blocked(lab.serving(WWW, carrier)?)?;
    for _ in 0..ATTEMPTS {
        ensure!(lab.client().send(&knock)?.is_none(), "{attacker} was answered by a dead node");
    }
    let dropped = blocked(lab.serving(WWW, carrier)?)? - before;
    ensure!(dropped >= ATTEMPTS, "{dropped} packets dropped for {ATTEMPTS} attempts");
    let elsewhere = Request::get(Scheme::Http, WWW, lab.place(WWW, Carrier::B)?.v4, "/");
    ensure!(
        lab.client().answer(&elsewhere)?.status == 200,
        "carrier B does not serve while A's node is dead"
    );

    lab.restart_serving(WWW, carrier).context("start the node again")?;
    let listed = bans(lab.serving(WWW, carrier)?)?;
    ensure!(listed.contains(&attacker.to_string()), "the new daemon did not adopt the ban: {listed}");
    ensure!(lab.client().send(&knock)?.is_none(), "{attacker} was answered after the restart");
    let visitor = Request::get(Scheme::Http, WWW, address, "/");
    ensure!(lab.client().answer(&visitor)?.status == 200, "the restarted node does not serve");
    lab.serving(WWW, carrier)?.waf_text(&["ban", "remove", &prefix, "--scope", "node"])?;
    Ok(format!("{ATTEMPTS} attempts, {dropped} packets dropped; the new daemon adopted the ban and serves"))
}

/// The link of carrier A goes down under a client that knows both addresses.
///
/// # Errors
/// A request is lost after its first retry.
pub fn carrier_gone(lab: &mut Lab) -> Result<String> {
    let addresses = [lab.place(WWW, Carrier::A)?.v4, lab.place(WWW, Carrier::B)?.v4];
    let request = |carrier: Carrier| {
        let [a, b] = addresses;
        let address = if carrier == Carrier::A { a } else { b };
        Request::get(Scheme::Http, WWW, address, "/").connect_within(PATIENCE)
    };
    for carrier in CARRIERS {
        ensure!(lab.client().answer(&request(carrier))?.status == 200, "{} does not serve", carrier.name());
    }
    lab.carrier_namespace(Carrier::A).ip(["link", "set", EDGE, "down"])?;
    let outage = outage(lab, request);
    lab.carrier_namespace(Carrier::A).ip(["link", "set", EDGE, "up"])?;
    let figure = outage?;
    interrupt::until("carrier A to serve again", BACK, || {
        Ok(lab.client().send(&request(Carrier::A))?.filter(|answer| answer.status == 200))
    })?;
    Ok(figure)
}

fn outage(lab: &Lab, request: impl Fn(Carrier) -> Request) -> Result<String> {
    let mut preferred = Carrier::A;
    let (mut answered, mut retries, mut longest) = (0, 0, Duration::ZERO);
    for _ in 0..REQUESTS {
        let start = Instant::now();
        let mut answer = lab.client().send(&request(preferred))?;
        if answer.is_none() {
            // The first retry goes to the other address, which a client then stays with.
            retries += 1;
            preferred = if preferred == Carrier::A { Carrier::B } else { Carrier::A };
            answer = lab.client().send(&request(preferred))?;
        }
        ensure!(
            answer.is_some_and(|answer| answer.status == 200),
            "a request was lost after its first retry"
        );
        answered += 1;
        longest = longest.max(start.elapsed());
    }
    ensure!(retries > 0, "the link is down and carrier A answered");
    Ok(format!("{answered} of {REQUESTS} answered, {retries} retry, the longest {} ms", longest.as_millis()))
}
