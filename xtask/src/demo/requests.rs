//! Steps about single requests: clean ones pass, attacks are refused or, in detect mode, only logged.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::evidence::{bans, event_id, find_event, requests};
use super::traffic::{ATTACKS, BENIGN};
use crate::interrupt;
use crate::lab::origin::{BIG_BYTES, GREETING};
use crate::lab::settings::{ONE, SHADOW, SHOP, WWW};
use crate::lab::topology::PROBES;
use crate::lab::{CARRIERS, Carrier, Lab, Request, Scheme};

const SCHEMES: [Scheme; 2] = [Scheme::Http, Scheme::Https];
/// Written by a thread of its own; a busy machine takes longer.
const WRITTEN: Duration = Duration::from_secs(5);
/// Capability sets in /proc/PID/status (proc(5)).
const CAPABILITIES: [&str; 5] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

/// All daemons hold no capability and run as an ordinary user.
///
/// # Errors
/// One does not.
pub fn unprivileged(lab: &mut Lab) -> Result<String> {
    let mut figures = Vec::new();
    for node in lab.nodes() {
        for set in CAPABILITIES {
            let held = node.process_status(set)?;
            ensure!(held.bytes().all(|b| b == b'0'), "{} holds {set} {held}", node.name());
        }
        let uids = node.process_status("Uid")?;
        let uid = uids.split_whitespace().next().unwrap_or_default().to_owned();
        ensure!(
            uid != "0" && uids.split_whitespace().all(|other| other == uid),
            "{} has uids {uids}",
            node.name()
        );
        figures.push(format!("{} uid {uid}, XDP {}", node.name(), node.xdp_mode()));
    }
    Ok(figures.join("; "))
}

/// Every site by every scheme, family and carrier, and one large answer.
///
/// # Errors
/// One is not answered by its origin.
pub fn clean(lab: &mut Lab) -> Result<String> {
    let mut passed = 0;
    for carrier in CARRIERS {
        for fqdn in [WWW, SHOP, ONE, SHADOW] {
            let place = lab.place(fqdn, carrier)?;
            for scheme in SCHEMES {
                for address in [place.v4, place.v6] {
                    let answer = lab.client().answer(&Request::get(scheme, fqdn, address, "/hello"))?;
                    let expected = format!("{GREETING} {fqdn}: GET /hello\n");
                    let same = answer.status == 200 && answer.text() == expected;
                    ensure!(same, "{fqdn} at {address}: {} {:?}", answer.status, answer.text());
                    passed += 1;
                }
            }
        }
        let address = lab.place(WWW, carrier)?.v4;
        let big = lab.client().answer(&Request::get(Scheme::Https, WWW, address, "/big"))?;
        let whole = big.status == 200 && big.body.len() == BIG_BYTES;
        ensure!(whole, "/big at {}: {} with {} bytes", carrier.name(), big.status, big.body.len());
    }
    Ok(format!(
        "{passed} of {passed} over HTTP and HTTPS, IPv4 and IPv6, at either carrier, and {} MiB in one answer",
        BIG_BYTES >> 20
    ))
}

/// The benign list at both carriers, in block mode.
///
/// # Errors
/// One is not passed.
pub fn benign(lab: &mut Lab) -> Result<String> {
    let mut passed = 0;
    for carrier in CARRIERS {
        let address = lab.place(WWW, carrier)?.v4;
        for (sample, scheme) in BENIGN.iter().zip(SCHEMES.iter().cycle()) {
            let answer = lab.client().answer(&sample.request(*scheme, WWW, address))?;
            ensure!(answer.status == 200, "{} at {}: {}", sample.name, carrier.name(), answer.status);
            passed += 1;
        }
    }
    Ok(format!("{passed} of {} requests, Japanese text among them", BENIGN.len() * CARRIERS.len()))
}

/// The attack list at both carriers, from several sources so that none is banned; each page's id leads to its event.
///
/// # Errors
/// One is passed, shows no id, or has no event.
pub fn attacks(lab: &mut Lab) -> Result<String> {
    let before = lab.origin().arrived()?.len();
    let mut figures = Vec::new();
    for carrier in CARRIERS {
        let mut found = 0;
        for (index, sample) in ATTACKS.iter().enumerate() {
            let (fqdn, scheme) = if index % 2 == 0 { (WWW, Scheme::Http) } else { (SHOP, Scheme::Https) };
            let site = lab.site(fqdn)?;
            let probe = PROBES.get(index % PROBES.len()).copied().unwrap_or(PROBES[0]);
            let address = lab.place(fqdn, carrier)?.v4;
            let request = sample.request(scheme, fqdn, address).from(carrier.client(probe));
            let answer = lab.client().answer(&request)?;
            ensure!(answer.status == 403, "{} at {}: {}", sample.name, carrier.name(), answer.status);
            let id =
                event_id(&answer).with_context(|| format!("{}: the page shows no event id", sample.name))?;
            let event = find_event(lab.serving(fqdn, carrier)?, &id)?;
            let same =
                event["id"] == id.as_str() && event["tenant"] == site.tenant && event["refused"] == true;
            ensure!(same, "{}: event {id} is another's: {event}", sample.name);
            found += 1;
        }
        figures.push(format!("{found} of {} at {}", ATTACKS.len(), carrier.name()));
    }
    let arrived = lab.origin().arrived()?.len() - before;
    ensure!(arrived == 0, "{arrived} attacks arrived at the origin");
    Ok(format!("{}; 0 arrived at the origin", figures.join(", ")))
}

/// The attack list from one source to a tenant in detect mode.
///
/// # Errors
/// One is refused, does not arrive at the origin or is not logged, or the source is banned.
pub fn detect(lab: &mut Lab) -> Result<String> {
    let site = lab.site(SHADOW)?.clone();
    let mut figures = Vec::new();
    for carrier in CARRIERS {
        let (before, address) = (logged(lab, carrier, site.tenant)?, lab.place(SHADOW, carrier)?.v4);
        let arrived = lab.origin().arrived()?.len();
        for (sample, scheme) in ATTACKS.iter().zip(SCHEMES.iter().cycle()) {
            let answer = lab.client().answer(&sample.request(*scheme, SHADOW, address))?;
            if answer.status == 403 {
                bail!("{} at {}: refused in detect mode", sample.name, carrier.name());
            }
        }
        let arrived = lab.origin().arrived()?.len() - arrived;
        ensure!(arrived == ATTACKS.len(), "{arrived} of {} arrived at the origin", ATTACKS.len());
        let expected = before + ATTACKS.len();
        interrupt::until("the request log to name the rules", WRITTEN, || {
            Ok((logged(lab, carrier, site.tenant)? >= expected).then_some(()))
        })?;
        let banned = bans(lab.serving(SHADOW, carrier)?)?;
        let visitor = carrier.client(2).to_string();
        ensure!(!banned.contains(&visitor), "{visitor} is banned at {}: {banned}", carrier.name());
        figures.push(format!("{} of {} at {}", ATTACKS.len(), ATTACKS.len(), carrier.name()));
    }
    Ok(format!("{}; 0 bans", figures.join(", ")))
}

/// Requests of the detecting tenant that rules matched.
fn logged(lab: &Lab, carrier: Carrier, tenant: u32) -> Result<usize> {
    let matched = |record: &Value| record["rules"].as_array().is_some_and(|rules| !rules.is_empty());
    let records = requests(lab.serving(SHADOW, carrier)?)?;
    Ok(records.iter().filter(|record| record["tenant"] == tenant && matched(record)).count())
}
