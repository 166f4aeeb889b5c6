//! Arguments that name rules -> rule files in the order in which they count.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use waf_user::config::files::expand_pattern;
use waf_user::engine::{RuleErrors, RuleFile, RuleSet};
use waf_user::node::rule_files::{Disk, PACKAGED};

/// What the Core Rule Set calls its set-up, as released and as installed.
const SETUPS: [&str; 2] = ["crs-setup.conf", "crs-setup.conf.example"];

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
        let before = paths.len();
        if path.is_dir() {
            paths.extend(of_folder(path)?);
        } else if path.is_file() || !is_pattern(path) {
            paths.push(path.clone());
        } else {
            let found = expand_pattern(Path::new(""), &path.to_string_lossy());
            paths.extend(found.map_err(|source| SourceError::Read { path: path.clone(), source })?);
        }
        if paths.len() == before {
            return Err(SourceError::Nothing { path: path.clone() });
        }
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

fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let rules = folder.join("rules");
    if !rules.is_dir() {
        return configurations(folder);
    }
    let mut paths: Vec<PathBuf> =
        SETUPS.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).take(1).collect();
    let plugins = folder.join("plugins");
    let mut plugged = if plugins.is_dir() { configurations(&plugins)? } else { Vec::new() };
    // A plugin's names say whether it stands before the rules or after them.
    let after =
        plugged.extract_if(.., |path| path.to_string_lossy().ends_with("-after.conf")).collect::<Vec<_>>();
    paths.extend(plugged);
    paths.extend(configurations(&rules)?);
    paths.extend(after);
    Ok(paths)
}

/// `*.conf` of a folder, sorted.
fn configurations(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let failed = |source| SourceError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "conf") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}
