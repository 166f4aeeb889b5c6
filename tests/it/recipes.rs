//! The README's bpftool recipes, run as they are printed on a node that has something to show.

use anyhow::{Context, Result, ensure};
use xtask::lab::settings::WWW;
use xtask::lab::{Carrier, Lab, LabOptions, Request, Scheme};
use xtask::process;

use crate::stage;

const README: &str = include_str!("../../README.md");
/// Words that must stand in what a recipe prints.
const EXPECTED: [(&str, &[&str]); 10] = [
    ("SERVICES", &["\"addr\"", "\"port\"", "\"tenant\"", "\"worker_set\""]),
    ("BLOCK4", &["\"addr\"", "\"scope\"", "\"reason\"", "\"expires_s\"", "\"tenant\""]),
    ("BLOCK_EXACT", &["\"addr\"", "\"scope\"", "\"bits\"", "\"reason\"", "\"expires_s\"", "\"tenant\""]),
    ("TENANT_COUNTERS", &["\"packets\"", "\"bytes\"", "\"drops\"", "\"syns\""]),
    ("/COUNTERS", &["\"pass_service\"", "\"drop_tenant\"", "\"lookup_assigned\""]),
    ("CONFIG", &["\"event_sample\"", "\"flags\""]),
    ("name waf_xdp", &["xdp", "waf_xdp"]),
    ("name waf_sk_lookup", &["sk_lookup"]),
    ("link show", &["xdp", "netns"]),
    ("net show dev", &["xdp", "eth1"]),
];

/// The commands of the README's block, comments cut off.
fn recipes() -> Vec<&'static str> {
    let lines = README.lines().filter(|line| line.starts_with("bpftool "));
    lines.filter_map(|line| line.split('#').next()).map(str::trim).collect()
}

#[test]
fn the_recipes_of_the_readme_work_as_printed() {
    stage::with_lab(LabOptions::default(), |lab| {
        let carrier = Carrier::A;
        let visit = Request::get(Scheme::Http, WWW, carrier.service(10), "/hello");
        ensure!(lab.client().answer(&visit)?.status == 200, "a clean request is refused");
        for source in ["192.0.2.1/32", "198.51.100.0/23"] {
            let ban = ["ban", "add", source, "--scope", "tenant:1", "--ttl-s", "60"];
            lab.node(carrier).waf_text(&ban)?;
        }
        let recipes = recipes();
        ensure!(recipes.len() == EXPECTED.len(), "the README has {} recipes: {recipes:?}", recipes.len());
        for recipe in recipes {
            let said = run(lab, recipe)?;
            let (_, words) = EXPECTED.iter().find(|(name, _)| recipe.contains(name)).context(recipe)?;
            for word in *words {
                ensure!(said.contains(word), "{recipe}: {word} is not in {said}");
            }
        }
        Ok(())
    });
}

/// In the carrier's namespace, with M as the README sets it, for this lab's node.
fn run(lab: &Lab, recipe: &str) -> Result<String> {
    let node = lab.node(Carrier::A);
    let folder = README.lines().find_map(|line| line.strip_prefix("M=")).context("the README sets no M")?;
    let folder = folder.replace("/a1/", &format!("/{}/", node.name()));
    let mut shell = node.namespace().command("sh");
    process::text(shell.args(["-c", &format!("M={folder}; {recipe}")]))
}
