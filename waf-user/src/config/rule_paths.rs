//! What an operator writes for rules -> the files meant, in the order in which they count.

use std::io;
use std::path::{Path, PathBuf};

use super::files::expand_pattern;

/// What the Core Rule Set calls its set-up, as installed and as released. It is read before the rules.
const SET_UPS: [&str; 2] = ["crs-setup.conf", "crs-setup.conf.example"];

/// A plugin's file with the first ending stands before all others of plugins, one with the second after the rules.
const FIRST: &str = "-config.conf";
const AFTER: &str = "-after.conf";

/// The files that an entry names: a file, a pattern, or a folder. Of a folder its `*.conf` in the order of their names are
/// meant, `crs-setup.conf` first; of one as the Core Rule Set is released its set-up, `plugins/` and `rules/`. Empty:
/// nothing is there.
///
/// # Errors
/// A folder on the way cannot be read.
pub fn expand_rules(folder: &Path, entry: &str) -> io::Result<Vec<PathBuf>> {
    let whole = folder.join(entry);
    if !whole.is_dir() {
        return expand_pattern(folder, entry);
    }
    if !whole.join("rules").is_dir() {
        let mut found = expand_pattern(&whole, "*.conf")?;
        found.sort_by_key(|path| !path.ends_with(SET_UPS[0]));
        return Ok(found);
    }
    let set_up = SET_UPS.into_iter().map(|name| whole.join(name)).find(|path| path.is_file());
    let plugged = expand_pattern(&whole, "plugins/*.conf")?;
    let ends = |path: &PathBuf, ending| path.to_string_lossy().ends_with(ending);
    let (after, mut before): (Vec<_>, Vec<_>) = plugged.into_iter().partition(|path| ends(path, AFTER));
    before.sort_by_key(|path| !ends(path, FIRST));
    let rules = expand_pattern(&whole, "rules/*.conf")?;
    Ok(set_up.into_iter().chain(before).chain(rules).chain(after).collect())
}

#[cfg(test)]
mod tests;
