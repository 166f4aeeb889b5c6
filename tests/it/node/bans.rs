//! Bans through a node's rules: who gets which, for how long, and what it reaches.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use waf_tests::load::Connection;
use waf_tests::namespace::inside;
use xtask::demo::evidence::sum;
use xtask::interrupt;
use xtask::lab::settings::{ONE, SHOP, WWW};
use xtask::lab::topology::{ATTACKER, PROBES};
use xtask::lab::{BanPolicy, Carrier, Lab, LabOptions, Mode, Request, Scheme, Site};

use super::http;
use crate::stage;

const ATTACK: &str = "/search?q=1+UNION+SELECT+user,password+FROM+users";
const REFUSED: u32 = 3;
const SOON: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_millis(300);
/// Beside [`ONE`] on its address, and blocking too.
const TWO: &str = "two.example.test";

/// A site of its own and two that share an address, all blocking.
fn options(extra_ban: &str) -> LabOptions {
    let site = |tenant, fqdn, host| Site { tenant, fqdn, host, workers: &[], mode: Mode::Block };
    LabOptions {
        sites: vec![site(1, WWW, 10), site(2, SHOP, 11), site(3, ONE, 20), site(4, TWO, 20)],
        ban: BanPolicy { refused: REFUSED, ratio: 0.5, window_s: 10, ttl_s: 60, scope: "tenant" },
        extra_ban: extra_ban.to_owned(),
        ..LabOptions::default()
    }
}

fn visit(scheme: Scheme, fqdn: &str, host: u8, source: IpAddr, target: &str) -> Request {
    Request::get(scheme, fqdn, Carrier::A.service(host), target).from(source).connect_within(SILENCE)
}

fn bans(lab: &Lab) -> Result<Vec<Value>> {
    let text = lab.node(Carrier::A).waf_text(&["ban", "list", "--json"])?;
    Ok(serde_json::from_str(&text)?)
}

/// Attacks until a ban of this scope stands.
fn banned(lab: &Lab, fqdn: &str, host: u8, source: IpAddr, scope: &str) -> Result<Value> {
    interrupt::until(&format!("{source} to be banned for {scope}"), SOON, || {
        lab.client().send(&visit(Scheme::Http, fqdn, host, source, ATTACK))?;
        Ok(bans(lab)?.into_iter().find(|ban| {
            ban["scope"] == scope
                && ban["prefix"].as_str().is_some_and(|p| p.starts_with(&source.to_string()))
        }))
    })
}

fn status(lab: &Lab, request: &Request) -> Result<Option<u16>> {
    Ok(lab.client().send(request)?.map(|answer| answer.status))
}

/// Seconds of the bans that the rules made so far, as their events tell.
fn lasted(lab: &Lab) -> Result<Vec<u64>> {
    let text = fs::read_to_string(lab.node(Carrier::A).state().join("events.jsonl"))?;
    let details = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let seconds = details.filter_map(|event| {
        event["detail"].as_str()?.split(" by rules for ").nth(1)?.strip_suffix(" s")?.parse().ok()
    });
    Ok(seconds.collect())
}

#[test]
fn who_comes_back_is_banned_for_longer_and_expired_bans_pass_again() {
    let mut options = options("ttl_growth = 3\nttl_max_s = 7");
    options.ban.ttl_s = 1;
    stage::with_lab(options, |lab| {
        let attacker = Carrier::A.client(ATTACKER);
        for number in 1..=3 {
            interrupt::until("a ban", SOON, || {
                lab.client().send(&visit(Scheme::Http, WWW, 10, attacker, ATTACK))?;
                Ok((lasted(lab)?.len() >= number).then_some(()))
            })?;
            interrupt::until("the ban to run out", Duration::from_secs(12), || {
                let answer = status(lab, &visit(Scheme::Http, WWW, 10, attacker, "/"))?;
                Ok((answer == Some(200)).then_some(()))
            })?;
        }
        let lasted = lasted(lab)?;
        ensure!(lasted == [1, 3, 7], "bans of {lasted:?} s, expected 1, 3 and the most, 7");
        Ok(())
    });
}

#[test]
fn a_source_bad_for_two_tenants_of_an_address_is_banned_for_the_address() {
    stage::with_lab(options(""), |lab| {
        let attacker = Carrier::A.client(ATTACKER);
        banned(lab, ONE, 20, attacker, "tenant:3")?;
        // On a shared address a tenant's ban holds at TLS accept and after Host; the other tenant is served.
        ensure!(status(lab, &visit(Scheme::Https, ONE, 20, attacker, "/"))?.is_none(), "banned and answered");
        ensure!(status(lab, &visit(Scheme::Https, TWO, 20, attacker, "/"))? == Some(200), "not banned there");
        let before = sum(&lab.node(Carrier::A).map("COUNTERS")?, "drop_address");
        banned(lab, TWO, 20, attacker, &format!("address:{}", Carrier::A.service(20)))?;
        for fqdn in [ONE, TWO] {
            ensure!(status(lab, &visit(Scheme::Http, fqdn, 20, attacker, "/"))?.is_none(), "{fqdn} answers");
        }
        let dropped = sum(&lab.node(Carrier::A).map("COUNTERS")?, "drop_address");
        ensure!(dropped > before, "the address's ban is enforced in the kernel");
        let other = visit(Scheme::Http, WWW, 10, attacker, "/");
        ensure!(status(lab, &other)? == Some(200), "another address is served");
        Ok(())
    });
}

/// Tenants of the connections that the kernel half knows.
fn flows(lab: &Lab) -> Result<Vec<u64>> {
    let flows = lab.node(Carrier::A).map("FLOWS")?;
    let entries = flows.as_array().into_iter().flatten();
    let mut tenants: Vec<u64> =
        entries.filter_map(|entry| entry["formatted"]["value"]["tenant"].as_u64()).collect();
    tenants.sort_unstable();
    Ok(tenants)
}

fn flows_become(lab: &Lab, tenants: &[u64]) -> Result<()> {
    interrupt::until(&format!("the kernel to know connections of {tenants:?}"), SOON, || {
        Ok((flows(lab)? == tenants).then_some(()))
    })
}

#[test]
fn the_kernel_knows_whose_connections_to_a_shared_address_are_and_a_ban_ends_them() {
    stage::with_lab(options(""), |lab| {
        let target = http(Carrier::A.service(20));
        let open = || inside(lab.client_namespace(), || Connection::open(target));
        let (mut one, mut two) = (open()?, open()?);
        ensure!(flows(lab)?.is_empty(), "no Host has come yet");
        ensure!(one.ask(ONE, "/")?.status == 200 && two.ask(TWO, "/")?.status == 200, "refused");
        flows_become(lab, &[3, 4])?;
        let prefix = format!("{}/32", Carrier::A.client(2));
        lab.node(Carrier::A).waf_text(&["ban", "add", &prefix, "--scope", "tenant:3", "--ttl-s", "60"])?;
        flows_become(lab, &[4])?;
        ensure!(two.ask(TWO, "/")?.status == 200, "the other tenant's connection lives");
        drop(two);
        flows_become(lab, &[])
    });
}

#[test]
fn nobody_of_never_is_banned() {
    let spared = Carrier::A.client(PROBES[0]);
    stage::with_lab(options(&format!("never = [\"{spared}\"]")), |lab| {
        for _ in 0..REFUSED * 4 {
            let answer = status(lab, &visit(Scheme::Http, WWW, 10, spared, ATTACK))?;
            ensure!(answer == Some(403), "an attack of the spared is answered {answer:?}");
        }
        interrupt::until("the node to tell that it spared somebody", SOON, || {
            let count = lab.node(Carrier::A).metric("waf_node_bans_not_made_total")?;
            Ok(count.first().is_some_and(|(_, count)| *count >= 3.0).then_some(()))
        })?;
        ensure!(bans(lab)?.is_empty(), "banned: {:?}", bans(lab)?);
        let by_hand = ["ban", "add", &format!("{spared}/32"), "--scope", "node"];
        let refused = lab.node(Carrier::A).waf(&by_hand)?;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        ensure!(!refused.status.success() && said.contains("never"), "{said}");
        // Another source of the same net is nobody's friend.
        banned(lab, WWW, 10, Carrier::A.client(PROBES[1]), "tenant:1").map(drop)
    });
}

/// A client's network of its own, behind the client's usual address.
const FAR: &str = "fd00:101:0:66::/64";
const FAR_FIRST: &str = "fd00:101:0:66::1";
const FAR_SECOND: &str = "fd00:101:0:66::2";

#[test]
fn ipv6_sources_are_banned_by_their_64() {
    stage::with_lab(options(""), |lab| {
        for address in [FAR_FIRST, FAR_SECOND] {
            lab.client_namespace().address(Carrier::A.client_device(), &format!("{address}/128"))?;
        }
        lab.carrier_namespace(Carrier::A).route(FAR, Carrier::A.client6(2))?;
        let request = |source: &str, target: &str| -> Result<Request> {
            let request = Request::get(Scheme::Http, WWW, Carrier::A.service6(10), target);
            Ok(request.from(source.parse()?).connect_within(SILENCE))
        };
        let ban = interrupt::until("the /64 to be banned", SOON, || {
            lab.client().send(&request(FAR_FIRST, ATTACK)?)?;
            Ok(bans(lab)?.into_iter().next())
        })?;
        ensure!(ban["prefix"] == FAR, "{ban}");
        ensure!(status(lab, &request(FAR_SECOND, "/")?)?.is_none(), "its neighbour is answered");
        let usual = request(&Carrier::A.client6(2).to_string(), "/")?;
        ensure!(status(lab, &usual)? == Some(200), "another network is refused");
        Ok(())
    });
}
