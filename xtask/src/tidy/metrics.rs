//! Names of metrics: `waf_<module>_<noun>…`, declared once, in one file, with a help text beside them. The encoder adds
//! `_total` to counters; what a name's unit is, no rule can tell.

use super::layers::is_module;
use super::{Finding, SourceFile};

/// Where they are declared.
const HOME: &str = "waf-user/src/telemetry/exposition.rs";

/// Names of metrics in one file of waf-user; tests may name them as they like.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    if !file.path.starts_with("waf-user/src/") || file.is_test() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for (at, _) in file.text.match_indices("\"waf_") {
        let line = file.text[..at].matches('\n').count() + 1;
        let Some((name, behind)) = file.text[at + 1..].split_once('"') else { continue };
        let mut find = |what, cure| findings.push(Finding { path: file.path.clone(), line, what, cure });
        let mut words = name.split('_').skip(1);
        let of_module = words.next().is_some_and(is_module) && words.next().is_some();
        match file.path == HOME {
            false if of_module => {
                find(format!("{name} is named outside {HOME}"), "declare it there and count by its module")
            }
            false => {}
            true if !of_module => {
                find(format!("{name} is not waf_<module>_<noun>"), "begin it with the module that counts")
            }
            true if name.ends_with("_total") => {
                find(format!("{name} would become {name}_total"), "leave the ending to the encoder")
            }
            true if seen.contains(&name) => find(format!("{name} is declared twice"), "declare it once"),
            true if !has_help(behind) => {
                find(format!("{name} has no help text"), "say in a string behind the name what is counted")
            }
            true => {}
        }
        seen.push(name);
    }
    findings
}

/// Whether a string with something in it follows as the next argument.
fn has_help(behind: &str) -> bool {
    let next = behind.trim_start().strip_prefix(',').map(str::trim_start);
    next.and_then(|next| next.strip_prefix('"')).is_some_and(|text| !text.starts_with('"'))
}
