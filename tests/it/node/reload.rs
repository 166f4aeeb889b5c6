//! New configurations under load, and such as must not be taken.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use waf_user::node::control::{Reply, Request};
use xtask::interrupt;
use xtask::lab::settings::WWW;
use xtask::lab::{Carrier, Lab, LabOptions, Request as Visit, Scheme};

use super::{ask, load, nothing_lost, status};
use crate::stage;

const RELOADS: u64 = 200;
/// Every so many reloads by the command line and by SIGHUP instead of straight over the socket.
const BY_HAND: u64 = 20;
const SOON: Duration = Duration::from_secs(10);

/// The other of two configurations: one more tenant, other lists, other workers of a tenant, another ban policy.
fn changed(text: &str, lab: &Lab) -> String {
    let site = lab.site(WWW).expect("the lab's site").host;
    let more = format!(
        "[[tenant]]\nid = 9\nfqdn = \"nine.example.test\"\nrules = []\naddresses = [\"{}\", \"{}\"]\nworkers = [1]\n\
         origins = [\"http://{}:8080\"]\n",
        Carrier::A.service(site),
        Carrier::A.service(90),
        Carrier::A.origin(),
    );
    let text = text.replace("[log]", "block = [\"198.51.100.0/24\"]\nallow = [\"192.0.2.7\"]\n[log]");
    let text = text.replace("workers = [1]", "workers = [0, 1]").replace("refused = 10", "refused = 11");
    format!("{text}\n{more}")
}

#[test]
fn two_hundred_reloads_lose_no_request_and_close_no_connection() {
    stage::with_lab(LabOptions::default(), |lab| {
        let file = lab.node(Carrier::A).config().to_owned();
        let plain = fs::read_to_string(&file)?;
        let other = changed(&plain, lab);
        let first = status(lab)?;
        let load = load(lab, &[Carrier::A]);
        let nine = Visit::get(Scheme::Http, "nine.example.test", Carrier::A.service(90), "/");
        for number in 1..=RELOADS {
            let is_other = number % 2 == 1;
            fs::write(&file, if is_other { &other } else { &plain })?;
            reload(lab, number)?;
            let status = status(lab)?;
            ensure!(status.generation == first.generation + number, "{number}: {status:?}");
            ensure!(status.tenants == first.tenants + usize::from(is_other), "{number}: {status:?}");
            if number % BY_HAND < 2 {
                let served = lab.client().send(&nine)?.is_some_and(|answer| answer.status == 200);
                ensure!(served == is_other, "{number}: the new tenant is served: {served}");
            }
        }
        let tally = load.stop();
        nothing_lost(&tally)?;
        ensure!(tally.told == 0, "{} connections were closed", tally.told);
        println!("{RELOADS} reloads, {} requests, none lost, no connection closed", tally.answered);
        let map = lab.node(Carrier::A).map("SERVICES")?.as_array().map_or(0, Vec::len);
        ensure!(map == 4 * 4 - 4 + 2 * 3, "{map} services are left");
        Ok(())
    });
}

fn reload(lab: &Lab, number: u64) -> Result<()> {
    match number % BY_HAND {
        0 => lab.node(Carrier::A).waf_text(&["node-ctl", "reload"]).map(drop),
        1 => hang_up_and_wait(lab),
        _ => match ask(lab, &Request::Reload { config: None })? {
            Reply::Reloaded { .. } => Ok(()),
            other => bail!("reload {number}: {other:?}"),
        },
    }
}

/// SIGHUP, and until it is obeyed.
pub(super) fn hang_up_and_wait(lab: &Lab) -> Result<()> {
    let before = status(lab)?.generation;
    hang_up(lab)?;
    interrupt::until("SIGHUP to be obeyed", SOON, || Ok((status(lab)?.generation > before).then_some(())))
}

fn hang_up(lab: &Lab) -> Result<()> {
    let daemon = lab.node(Carrier::A).daemon().context("the node runs")?;
    Ok(kill(Pid::from_raw(i32::try_from(daemon.pid())?), Signal::SIGHUP)?)
}

#[test]
fn a_bad_configuration_keeps_the_old_one_and_says_where_it_is_wrong() {
    stage::with_lab(LabOptions::default(), |lab| {
        let file = lab.node(Carrier::A).config().to_owned();
        let plain = fs::read_to_string(&file)?;
        let rules = file.with_file_name("broken.conf");
        fs::write(&rules, "SecRule ARGS \"@rx (\" \"id:1,phase:2,deny\"\n")?;
        let broken_rules = format!("rules = [{:?}]", rules);
        let some_rules = plain.lines().find(|line| line.starts_with("rules = ")).context("rules")?;
        let table = [
            ("no TOML", format!("{plain}\n[[[\n"), "node.toml:"),
            (
                "unknown key",
                plain.replace("carrier = ", "wokers = 2\ncarrier = "),
                "node.toml:3:1: unknown key",
            ),
            ("wrong value", plain.replace("ratio = 0.5", "ratio = 5"), "`ratio` is out of range"),
            ("rules", plain.replacen(some_rules, &broken_rules, 1), "broken.conf:1"),
            ("no certificate", plain.replacen(".pem\"", ".none\"", 1), "read "),
            ("workers", plain.replace("workers = 2", "workers = 3"), "[node] workers has changed"),
            ("interface", plain.replace("interface = \"eth1\"", ""), "interface"),
            ("listener", plain.replace("9900", "9901"), "[admin] listen has changed"),
            ("no file", String::new(), "[node]"),
        ];
        let before = status(lab)?;
        let load = load(lab, &[Carrier::A]);
        for (name, text, expected) in &table {
            fs::write(&file, text)?;
            let output = lab.node(Carrier::A).waf(&["node-ctl", "reload"])?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            ensure!(output.status.code() == Some(1) && said.contains(expected), "{name}: {said}");
            ensure!(status(lab)? == before, "{name}: the node has changed");
        }
        fs::write(&file, plain.replace("ratio = 0.5", "ratio = 5"))?;
        hang_up(lab)?;
        interrupt::until("the refusal to be logged", SOON, || {
            let log = lab.logs();
            Ok((log.contains("configuration refused") && log.contains("`ratio` is out of range"))
                .then_some(()))
        })?;
        fs::write(&file, &plain)?;
        lab.node(Carrier::A).waf_text(&["node-ctl", "reload"])?;
        nothing_lost(&load.stop())?;
        let refused = lab.node(Carrier::A).metric("waf_node_reloads_total{result=\"refused\"}")?;
        ensure!(refused.first().is_some_and(|(_, count)| *count >= 9.0), "{refused:?}");
        Ok(())
    });
}

#[test]
fn modes_and_rules_change_with_a_reload() {
    const ATTACK: &str = "/search?q=1+UNION+SELECT+user,password+FROM+users";
    stage::with_lab(LabOptions::default(), |lab| {
        let file = lab.node(Carrier::A).config().to_owned();
        let plain = fs::read_to_string(&file)?;
        let own = file.with_file_name("own.conf");
        fs::write(
            &own,
            "SecRuleEngine On\nSecRule REQUEST_URI \"@contains forbidden\" \"id:7,phase:1,deny,log\"\n",
        )?;
        let some_rules = plain.lines().find(|line| line.starts_with("rules = ")).context("rules")?;
        let table = [
            ("as it was", plain.clone(), 403, 200),
            ("detect", plain.replacen("mode = \"block\"", "mode = \"detect\"", 1), 200, 200),
            ("other rules", plain.replacen(some_rules, &format!("rules = [{own:?}]"), 1), 200, 403),
            ("as it was again", plain.clone(), 403, 200),
        ];
        for (name, text, attack, forbidden) in table {
            fs::write(&file, text)?;
            lab.node(Carrier::A).waf_text(&["node-ctl", "reload"])?;
            for (target, expected) in [(ATTACK, attack), ("/forbidden", forbidden)] {
                let visit = Visit::get(Scheme::Https, WWW, Carrier::A.service(10), target);
                let status = lab.client().answer(&visit)?.status;
                ensure!(status == expected, "{name}: {target} is answered {status}, expected {expected}");
            }
        }
        Ok(())
    });
}
