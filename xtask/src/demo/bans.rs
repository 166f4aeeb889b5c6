//! Steps about bans: refusals of a source become a drop in the kernel, and an operator takes it back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::evidence::{bans, blocked};
use crate::interrupt;
use crate::lab::settings::{SHOP, WWW};
use crate::lab::topology::ATTACKER;
use crate::lab::{Carrier, Lab, Request, Scheme};

/// Refused by the starter rules wherever it is sent.
const ATTACK: &str = "/search?q=1+UNION+SELECT+user,password+FROM+users";
/// A banned source hears nothing: it need not wait long to know.
pub const SILENCE: Duration = Duration::from_millis(400);
/// From the command's end to the kernel's forgetting.
const LIFTED: Duration = Duration::from_secs(5);

/// The attacker goes on until nobody answers.
///
/// # Errors
/// It is never dropped, dropped too early, or others are dropped with it.
pub fn dropped(lab: &mut Lab) -> Result<String> {
    let carrier = Carrier::A;
    let limit = lab.options().ban.refused;
    let attacker = carrier.client(ATTACKER);
    let (www, shop) = (lab.place(WWW, carrier)?, lab.place(SHOP, carrier)?);
    let request = Request::get(Scheme::Http, WWW, www.v4, ATTACK).from(attacker).connect_within(SILENCE);
    let before = blocked(lab.serving(WWW, carrier)?)?;
    let mut refused = 0;
    // When the last request that was refused was sent.
    let mut sent = Instant::now();
    let first_drop = loop {
        let start = Instant::now();
        let mut pending = lab.client().begin(&request)?;
        // While curl is under way, the kernel's counter tells of the first drop.
        let seen = loop {
            interrupt::check()?;
            if blocked(lab.serving(WWW, carrier)?)? > before {
                break Some(Instant::now());
            }
            if pending.is_done()? {
                break None;
            }
        };
        match pending.finish()? {
            Some(answer) if answer.status == 403 => (refused, sent) = (refused + 1, start),
            Some(answer) => bail!("the attack was answered {}", answer.status),
            // A ban closes what is open, which may come before the first drop.
            None => {}
        }
        if let Some(seen) = seen {
            break seen.duration_since(sent);
        }
        ensure!(refused <= limit * 3, "{refused} refused and no ban: the limit is {limit}");
    };
    ensure!(refused >= limit, "dropped after {refused} refusals: the limit is {limit}");
    let others = [
        ("another visitor", Request::get(Scheme::Http, WWW, www.v4, "/")),
        ("the attacker at another tenant", Request::get(Scheme::Http, SHOP, shop.v4, "/").from(attacker)),
    ];
    for (who, request) in others {
        let answer = lab.client().answer(&request).context(who)?;
        ensure!(answer.status == 200, "{who} is answered {}", answer.status);
    }
    let count = blocked(lab.serving(WWW, carrier)?)? - before;
    Ok(format!(
        "after {refused} refusals; first drop {} ms after the last was sent, bpftool counts {count}; other visitors and \
         tenants served",
        first_drop.as_millis()
    ))
}

/// `waf ban remove` brings the attacker back.
///
/// # Errors
/// The ban is not listed, or the attacker is not answered after it is removed.
pub fn lifted(lab: &mut Lab) -> Result<String> {
    let carrier = Carrier::A;
    let attacker = carrier.client(ATTACKER);
    let tenant = lab.site(WWW)?.tenant;
    let prefix = format!("{attacker}/32");
    let node = lab.serving(WWW, carrier)?;
    let listed = bans(node)?;
    ensure!(listed.contains(&attacker.to_string()), "the ban is not listed: {listed}");
    node.waf_text(&["ban", "remove", &prefix, "--scope", &format!("tenant:{tenant}")])?;
    let start = Instant::now();
    let address = lab.place(WWW, carrier)?.v4;
    let request = Request::get(Scheme::Http, WWW, address, "/").from(attacker).connect_within(SILENCE);
    interrupt::until("the attacker to be answered again", LIFTED, || {
        Ok(lab.client().send(&request)?.filter(|answer| answer.status == 200))
    })?;
    let listed = bans(node)?;
    ensure!(!listed.contains(&attacker.to_string()), "the ban is still listed: {listed}");
    Ok(format!("waf ban remove {prefix}; answered again {} ms later", start.elapsed().as_millis()))
}
