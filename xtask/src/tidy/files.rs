//! Rules of whole files: the top level of the card, opening documentation, length, names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Finding, SourceFile};

/// A stranger reads a file of this length in one sitting.
const LINES_MAX: usize = 600;
/// Nine in ten files keep below this.
const LINES_NINE_IN_TEN_MAX: usize = 400;
const LINES_MEDIAN_MAX: usize = 150;

const TOP_LEVEL: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "xtask",
    "waf-common",
    "waf-ebpf",
    "waf-user",
    "tests",
];

/// Names that say nothing of what a file holds.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "helpers", "manager", "misc"];

/// Only what the card names, dotfiles and the build folder may lie at the top.
pub fn check_top_level(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(root).with_context(|| format!("list {}", root.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && name != "target" && !TOP_LEVEL.contains(&name.as_str()) {
            let what = "does not belong at the top level".to_owned();
            findings.push(Finding { path: name, line: 0, what, cure: "move it into the package it serves" });
        }
    }
    Ok(findings)
}

/// Half of the files are short, nine in ten of bearable length. Tests do not count.
pub fn check_median(sources: &[SourceFile]) -> Vec<Finding> {
    let mut lengths: Vec<usize> =
        sources.iter().filter(|file| !file.is_test()).map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    let at = |share: usize| lengths.get(lengths.len() * share / 100).copied().unwrap_or(0);
    let mut findings = Vec::new();
    for (share, max) in [(50, LINES_MEDIAN_MAX), (90, LINES_NINE_IN_TEN_MAX)] {
        if at(share) > max {
            let what = format!("{share} % of the files have up to {} lines, {max} is the bound", at(share));
            findings.push(Finding {
                path: ".".into(),
                line: 0,
                what,
                cure: "split the longest along their nouns",
            });
        }
    }
    findings
}

/// Opening line, length and name of one file.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find =
        |what: String, cure| findings.push(Finding { path: file.path.clone(), line: 0, what, cure });
    if !file.text.starts_with("//!") {
        find(
            "does not open with //!".into(),
            "say in the first lines what the file turns into what, and what it does not know",
        );
    }
    let lines = file.text.lines().count();
    if lines > LINES_MAX && !file.is_test() {
        find(
            format!("{lines} lines, {LINES_MAX} is the bound"),
            "split it along the nouns, tests into tests.rs",
        );
    }
    let stem = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        find(format!("the name {stem} says nothing"), "name it after the noun it holds");
    }
    findings
}
