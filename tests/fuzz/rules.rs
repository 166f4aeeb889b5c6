//! The rules that whole transactions are judged by: the Core Rule Set of Debian's package where it is installed, else the
//! starter rules.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::engine::{RuleFile, RuleFiles, RuleSet};

const SETUP: &str = "/etc/modsecurity/crs/crs-setup.conf";
const RULES: &str = "/usr/share/modsecurity-crs/rules";

/// Compiled once.
pub fn installed() -> &'static Arc<RuleSet> {
    static COMPILED: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
        let rules = RuleSet::compile_with_defaults(&files(), &Disk).unwrap_or_else(|errors| panic!("{errors}"));
        eprintln!("judged by {} rules", rules.len());
        Arc::new(rules)
    });
    &COMPILED
}

fn files() -> Vec<RuleFile> {
    let starter = RuleFile {
        name: "starter.conf".to_owned(),
        text: include_bytes!("../../waf-user/rules/starter.conf").to_vec(),
    };
    let Ok(entries) = std::fs::read_dir(RULES) else { return vec![starter] };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    paths.sort();
    paths.insert(0, PathBuf::from(SETUP));
    paths.iter().filter_map(|path| read(path).ok()).collect()
}

fn read(path: &Path) -> io::Result<RuleFile> {
    Ok(RuleFile { name: path.display().to_string(), text: std::fs::read(path)? })
}

struct Disk;

impl RuleFiles for Disk {
    fn read(&self, path: &str, from: &str) -> io::Result<RuleFile> {
        read(&Path::new(from).parent().unwrap_or(Path::new("")).join(path))
    }

    fn glob(&self, _pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}
