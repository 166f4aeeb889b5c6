//! What the admin listener shows: every metric has its help text and stands in the README.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use waf_tests::load::Connection;
use waf_tests::namespace::inside;
use xtask::interrupt;
use xtask::lab::settings::{ONE, WWW};
use xtask::lab::{Carrier, LabOptions, Node, Request, Scheme};

use super::http;
use crate::stage;

const SOON: Duration = Duration::from_secs(5);
const README: &str = include_str!("../../../README.md");

/// In the rows of the metrics that only a node with a control plane has.
const OF_A_FLEET: &str = "(with `[control]`)";

/// Such a node has every one of them, and no other under their names.
///
/// # Errors
/// One is missing.
pub fn of_a_fleet(node: &Node) -> Result<()> {
    let text = node.admin("/metrics")?;
    let rows = README.lines().filter(|line| line.contains(OF_A_FLEET));
    let names: Vec<_> = rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    ensure!(names.len() >= 5, "the README's rows are gone: {names:?}");
    for name in names {
        ensure!(text.contains(&format!("# HELP {name} ")), "{name} is no metric of a node of a fleet");
    }
    Ok(())
}

#[test]
fn every_metric_has_a_help_text_and_a_row_in_the_readme() {
    stage::with_lab(LabOptions::default(), |lab| {
        let node = lab.node(Carrier::A);
        let visit = Request::get(Scheme::Http, WWW, Carrier::A.service(10), "/");
        ensure!(lab.client().answer(&visit)?.status == 200, "a clean request is refused");
        let text = node.admin("/metrics")?;
        let names = |word: &str| -> BTreeSet<String> {
            let lines = text.lines().filter_map(|line| line.strip_prefix(word));
            lines.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
        };
        let (typed, helped) = (names("# TYPE "), names("# HELP "));
        ensure!(typed == helped && typed.len() > 25, "types {typed:?}, help texts {helped:?}");
        let rows: BTreeSet<String> = README
            .lines()
            // Those of a node with a control plane are looked for at one.
            .filter(|line| !line.contains(OF_A_FLEET))
            .filter_map(|line| line.strip_prefix("| `waf_")?.split('`').next())
            .map(|name| format!("waf_{name}"))
            .collect();
        let missing: Vec<_> = typed.difference(&rows).collect();
        let stale: Vec<_> = rows.difference(&typed).collect();
        ensure!(
            missing.is_empty() && stale.is_empty(),
            "README lacks {missing:?}, and has {stale:?} that is not there"
        );
        // A connection to a shared address, whose tenant the kernel half is told, and two bans.
        let mut kept = inside(lab.client_namespace(), || Connection::open(http(Carrier::A.service(20))))?;
        ensure!(kept.ask(ONE, "/")?.status == 200, "a clean request is refused");
        for prefix in ["198.51.100.1", "198.51.100.0/23"] {
            node.waf_text(&["ban", "add", prefix, "--scope", "node", "--ttl-s", "600"])?;
        }
        levels(node)?;
        drop(kept);
        interrupt::until("the connection to be forgotten", SOON, || {
            let flows = node.metric("waf_kernel_entries{table=\"flows\"}")?;
            Ok(flows.first().is_some_and(|(_, count)| *count < 0.5).then_some(()))
        })
    });
}

/// Some of which the value is known.
fn levels(node: &xtask::lab::Node) -> Result<()> {
    let one = |name: &str| -> Result<f64> {
        let samples = node.metric(name)?;
        ensure!(samples.len() == 1, "{name}: {samples:?}");
        Ok(samples[0].1)
    };
    let mode = node.xdp_mode().to_owned();
    let table = [
        (format!("waf_kernel_xdp_mode{{mode=\"{mode}\"}}"), 1.0),
        ("waf_node_snapshot_generation".to_owned(), 1.0),
        ("waf_node_bans ".to_owned(), 2.0),
        ("waf_kernel_entries{table=\"services\"}".to_owned(), 18.0),
        ("waf_kernel_entries{table=\"prefixes\"}".to_owned(), 2.0),
        ("waf_kernel_entries{table=\"block_exact\"}".to_owned(), 1.0),
        ("waf_kernel_entries{table=\"block4\"}".to_owned(), 1.0),
        ("waf_kernel_entries{table=\"block6\"}".to_owned(), 0.0),
        ("waf_kernel_entries{table=\"flows\"}".to_owned(), 1.0),
        ("waf_kernel_entries_max{table=\"block4\"}".to_owned(), 131_072.0),
        ("waf_kernel_entries_max{table=\"flows\"}".to_owned(), 65_536.0),
        ("waf_node_queue_length{queue=\"commands\"}".to_owned(), 0.0),
    ];
    for (name, expected) in table {
        let value = one(&name)?;
        ensure!((value - expected).abs() < 0.5, "{name} is {value}, expected {expected}");
    }
    let workers = node.metric("waf_proxy_worker_connections_open")?;
    ensure!(workers.len() == 2, "{workers:?}");
    Ok(())
}
