//! What an operator does to a node that serves: looks at its health and metrics, stops it, starts it again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use xtask::demo::evidence::requests;
use xtask::interrupt;
use xtask::lab::settings::{SHOP, WWW};
use xtask::lab::{Carrier, Lab, LabOptions, Mode, Request, Scheme};

use crate::stage;

const ATTACK: &str = "/search?q=1+UNION+SELECT+user,password+FROM+users";
/// Logs and counters are written by threads of their own; a busy machine takes longer.
const WRITTEN: Duration = Duration::from_secs(5);

fn status(lab: &Lab, fqdn: &str, host: u8, target: &str) -> Result<Option<u16>> {
    let request = Request::get(Scheme::Http, fqdn, Carrier::A.service(host), target);
    Ok(lab.client().send(&request)?.map(|answer| answer.status))
}

#[test]
fn health_and_metrics_say_what_the_node_did() {
    stage::with_lab(LabOptions::default(), |lab| {
        let node = lab.node(Carrier::A);
        for path in ["/healthz", "/readyz"] {
            node.admin(path)?;
        }
        ensure!(node.admin("/nothing").is_err(), "a page that is not there is answered 200");
        let rows = [
            ("waf_proxy_requests_total{verdict=\"pass\"}", "/", 200),
            ("waf_proxy_requests_total{verdict=\"deny\"}", ATTACK, 403),
            ("waf_proxy_tenant_requests_total{tenant=\"1\",verdict=\"deny\"}", ATTACK, 403),
            ("waf_kernel_packets_total{outcome=\"pass_service\"}", "/", 200),
        ];
        for (metric, target, expected) in rows {
            let before = value(lab, metric)?;
            let status = status(lab, WWW, 10, target)?;
            ensure!(status == Some(expected), "{target}: {status:?}");
            interrupt::until(metric, WRITTEN, || Ok((value(lab, metric)? > before).then_some(())))?;
        }
        Ok(())
    });
}

fn value(lab: &Lab, metric: &str) -> Result<f64> {
    let samples = lab.node(Carrier::A).metric(metric)?;
    samples.first().map(|(_, value)| *value).with_context(|| format!("no {metric}"))
}

/// SIGTERM ends it well and leaves the kernel half, by which visitors are refused at once instead of left waiting.
#[test]
fn a_stopped_node_exits_well_and_comes_back() {
    stage::with_lab(LabOptions::default(), |lab| {
        ensure!(status(lab, WWW, 10, "/")? == Some(200), "the node does not serve");
        lab.node_mut(Carrier::A).stop()?;
        lab.node(Carrier::A).map("SERVICES").context("the kernel half is gone with the node")?;
        let start = Instant::now();
        let gone = status(lab, WWW, 10, "/")?;
        ensure!(gone.is_none(), "a stopped node answers {gone:?}");
        // A silent drop would take the client's 2 s.
        ensure!(start.elapsed().as_secs() < 2, "the client waited {:?} for a refusal", start.elapsed());
        lab.restart(Carrier::A)?;
        ensure!(status(lab, WWW, 10, "/")? == Some(200), "the node does not serve again");
        Ok(())
    });
}

#[test]
fn a_tenant_whose_rules_are_off_is_passed_and_its_neighbour_is_not() {
    let mut options = LabOptions::default();
    for site in options.sites.iter_mut().filter(|site| site.fqdn == WWW) {
        site.mode = Mode::Off;
    }
    stage::with_lab(options, |lab| {
        ensure!(status(lab, WWW, 10, ATTACK)? == Some(200), "rules are off and refuse");
        let attack = Request::get(Scheme::Http, SHOP, Carrier::A.service(11), ATTACK);
        let answer = lab.client().answer(&attack)?;
        ensure!(answer.status == 403, "rules are on and answer {}", answer.status);
        let off = interrupt::until("the request log", WRITTEN, || {
            let records = requests(lab.node(Carrier::A))?;
            Ok(records.into_iter().find(|record| record["tenant"] == 1))
        })?;
        ensure!(off["rules"].as_array().is_some_and(Vec::is_empty), "rules that are off matched: {off}");
        Ok(())
    });
}
