//! Arguments that name rules -> rule files in the order in which they count.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use waf_user::config::rule_paths::expand_rules;
use waf_user::engine::{RuleErrors, RuleFile, RuleSet};
use waf_user::node::rule_files::{Disk, PACKAGED};

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("no rules are named, and the package modsecurity-crs is not installed")]
    NoneNamed,
    #[error("reading {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} names no file", path.display())]
    Nothing { path: PathBuf },
    #[error("the rules cannot be used:\n{0}")]
    Rules(RuleErrors),
}

/// The files that arguments name: files as they are, patterns expanded and sorted, of a folder its `*.conf`, and of a folder
/// of the Core Rule Set its set-up, then `plugins/` and `rules/`. Nothing named: Debian's package.
pub fn read(named: &[PathBuf]) -> Result<Vec<RuleFile>, SourceError> {
    let packaged = [PathBuf::from(PACKAGED)];
    let named = match named {
        [] if !packaged[0].is_file() => return Err(SourceError::NoneNamed),
        [] => &packaged,
        named => named,
    };
    let mut paths = Vec::new();
    for path in named {
        let found = expand_rules(Path::new(""), &path.to_string_lossy());
        let found = found.map_err(|source| SourceError::Read { path: path.clone(), source })?;
        if found.is_empty() {
            return Err(SourceError::Nothing { path: path.clone() });
        }
        paths.extend(found);
    }
    let file = |path: &PathBuf| {
        Disk::read_file(path).map_err(|source| SourceError::Read { path: path.clone(), source })
    };
    paths.iter().map(file).collect()
}

/// # Errors
/// Mistakes in the files.
pub fn compile(files: &[RuleFile]) -> Result<Arc<RuleSet>, SourceError> {
    RuleSet::compile_with_defaults(files, &Disk).map(Arc::new).map_err(SourceError::Rules)
}
