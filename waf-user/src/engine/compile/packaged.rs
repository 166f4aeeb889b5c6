//! The Core Rule Set of the machine's package, where it is installed: loads without a mistake, and each of its patterns
//! finds the same in linear time as by backtracking.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::pattern::tests::both_ways_agree;
use crate::engine::text::{Source, Statement, lexer, parser};
use crate::engine::{RuleFile, RuleFiles, RuleSet};

/// The files of this machine.
pub(in crate::engine) struct Disk;

impl RuleFiles for Disk {
    fn read(&self, path: &str, from: &str) -> io::Result<RuleFile> {
        let path = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
        Ok(RuleFile { name: path.display().to_string(), text: std::fs::read(&path)? })
    }

    fn glob(&self, _pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Set-up and rules in order; empty, and a printed line, where the package is absent.
pub(in crate::engine) fn packaged() -> Vec<RuleFile> {
    let mut paths = vec![PathBuf::from("/etc/modsecurity/crs/crs-setup.conf")];
    let Ok(entries) = std::fs::read_dir("/usr/share/modsecurity-crs/rules") else {
        println!("skipped: the package modsecurity-crs is not installed");
        return Vec::new();
    };
    let mut rules: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    rules.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    rules.sort();
    paths.extend(rules);
    let read =
        |path: &PathBuf| Some(RuleFile { name: path.display().to_string(), text: std::fs::read(path).ok()? });
    paths.iter().filter_map(read).collect()
}

#[test]
fn the_core_rule_set_loads() {
    let files = packaged();
    if !files.is_empty() {
        let rules = RuleSet::compile(&files, &Disk).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(rules.len() > 500, "{} rules", rules.len());
    }
}

#[test]
fn its_patterns_mean_the_same_both_ways() {
    let mut patterns = 0;
    for file in packaged() {
        let source = Arc::new(Source { name: file.name, text: file.text });
        let mut mistakes = Vec::new();
        for line in lexer::lines(&source, &mut mistakes) {
            if let Some(Statement::Rule(rule)) = parser::statement(line, &mut mistakes)
                && rule.operator.name.text == b"rx"
                && !rule.operator.argument.text.windows(2).any(|pair| pair == b"%{")
            {
                both_ways_agree(&rule.operator.argument.text);
                patterns += 1;
            }
        }
    }
    println!("{patterns} patterns");
}
