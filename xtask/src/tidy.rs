//! The rules of the tree that no compiler keeps: layers, sizes, openings, names of metrics, where `unsafe` and the
//! wrapped crates may stand. Reads source text, changes nothing; every finding carries its cure.

mod files;
mod imports;
mod layers;
mod metrics;
mod source;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use crate::workspace;
use crate::{complain, say};

pub use source::SourceFile;

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path relative to the workspace.
    pub path: String,
    /// From 1; 0 = the whole file.
    pub line: usize,
    pub what: String,
    pub cure: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}\n  cure: {}", self.path, self.what, self.cure),
            line => write!(f, "{}:{line}: {}\n  cure: {}", self.path, self.what, self.cure),
        }
    }
}

/// Checks the workspace and prints what is wrong.
///
/// # Errors
/// A source file cannot be read, or anything was found.
pub fn run() -> Result<()> {
    let root = workspace::root();
    let sources = source::read_all(&root)?;
    let mut findings = files::check_top_level(&root)?;
    findings.extend(files::check_median(&sources));
    for file in &sources {
        findings.extend(files::check(file));
        findings.extend(layers::check(file));
        findings.extend(imports::check(file));
        findings.extend(metrics::check(file));
        findings.extend(words::check(file));
    }
    for finding in &findings {
        complain!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} finding(s) in {} files", findings.len(), sources.len());
    }
    say!("tidy: {} files, nothing to mend", sources.len());
    Ok(())
}
