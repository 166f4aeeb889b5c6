//! Imports at the head of a file stand in three blocks: std, external crates, crate.

use super::{Finding, SourceFile};

/// The block a path's first segment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Block {
    Std,
    External,
    Crate,
}

/// Order of the `use` items at a file's head; `pub use` and those inside functions and modules are not looked at.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let children: Vec<String> = file.code().filter_map(|(_, code)| child(&code)).collect();
    let mut last: Option<Block> = None;
    let mut blank_since = false;
    for (line, code) in file.code() {
        if code.trim().is_empty() {
            blank_since = true;
            continue;
        }
        let Some(path) = code.strip_prefix("use ") else { continue };
        let block = block_of(path, &children);
        let mut find = |what: &str| {
            findings.push(Finding {
                path: file.path.clone(),
                line,
                what: what.to_owned(),
                cure: "order: std, then external crates, then crate/super/self, a blank line between",
            });
        };
        match last {
            Some(before) if block < before => find("import stands below a later block"),
            Some(before) if block > before && !blank_since => {
                find("no blank line between two blocks of imports")
            }
            _ => {}
        }
        last = Some(block);
        blank_since = false;
    }
    findings
}

/// The module that a line declares.
fn child(code: &str) -> Option<String> {
    let name = code.trim_start_matches("pub ").strip_prefix("mod ")?.trim_end();
    name.strip_suffix(';').map(str::to_owned)
}

/// Modules of the file's own count as the crate's.
fn block_of(path: &str, children: &[String]) -> Block {
    match path.split([':', ';', ' ', '{']).next().unwrap_or_default() {
        "std" | "core" | "alloc" => Block::Std,
        "crate" | "super" | "self" => Block::Crate,
        name if children.iter().any(|child| child == name) => Block::Crate,
        _ => Block::External,
    }
}
