//! Words that may not stand in code: `unsafe` outside its list, muted tests, unfinished or commented-out code.

use super::{Finding, SourceFile};

/// Where `unsafe` may stand: the kernel half, map handles, and the one promise of the ABI macro.
const UNSAFE_HOMES: [&str; 3] = ["waf-ebpf/src/", "waf-user/src/kernel/", "waf-common/src/abi.rs"];

/// Written in two halves so that this file passes its own rule.
const UNFINISHED: [&str; 4] =
    [concat!("tod", "o!("), concat!("unimplemente", "d!("), concat!("db", "g!("), concat!("#[igno", "re")];

/// Words of one file.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let unsafe_home = UNSAFE_HOMES.iter().any(|home| file.path.starts_with(home));
    for (line, code) in file.code() {
        let mut find =
            |what: String, cure| findings.push(Finding { path: file.path.clone(), line, what, cure });
        if !unsafe_home && has_word(&code, "unsafe") {
            find("unsafe outside its list".into(), "use the safe wrapper, or move it into kernel/");
        }
        for word in UNFINISHED {
            if code.contains(word) {
                find(format!("{word} in the tree"), "finish it, or take it out");
            }
        }
    }
    for (at, text) in file.text.lines().enumerate() {
        if is_commented_code(text) {
            let what = "commented-out code".to_owned();
            findings.push(Finding {
                path: file.path.clone(),
                line: at + 1,
                what,
                cure: "delete it: git remembers",
            });
        }
    }
    findings
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

/// A `//` line that reads like a statement. Doc comments are prose or examples and not looked at.
fn is_commented_code(line: &str) -> bool {
    let Some(comment) = line.trim_start().strip_prefix("//") else { return false };
    if comment.starts_with(['/', '!']) {
        return false;
    }
    let comment = comment.trim();
    let statement = ["let ", "use ", "if ", "for ", "fn ", "return ", "pub ", "match "]
        .iter()
        .any(|start| comment.starts_with(start));
    comment.ends_with(");") || (statement && comment.ends_with([';', '{']))
}
