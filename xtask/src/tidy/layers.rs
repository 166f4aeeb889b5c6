//! The layer table of waf-user: which module may import which, and which crate is named in one module only.

use super::{Finding, SourceFile};

/// Module, layer, and the modules of its own layer that it may import besides those of all lower layers.
const LAYERS: [(&str, u8, &[&str]); 14] = [
    ("model", 0, &[]),
    ("engine", 0, &[]),
    ("http", 0, &[]),
    ("secret", 0, &[]),
    ("config", 1, &[]),
    ("event", 1, &[]),
    ("telemetry", 1, &["event"]),
    ("tls", 2, &[]),
    ("kernel", 2, &[]),
    ("zone", 2, &[]),
    ("origin", 2, &["tls"]),
    ("proxy", 3, &[]),
    ("node", 4, &[]),
    ("control", 4, &[]),
];

/// Crates that one module wraps: nobody else names them.
const WRAPPED: [(&str, &str); 5] = [
    ("httparse", "http"),
    ("rustls", "tls"),
    ("tokio_rustls", "tls"),
    ("aya", "kernel"),
    ("aya_obj", "kernel"),
];

/// Files at the top of the library that belong to no layer: its list of modules, and the binary with its commands.
const TOP: [&str; 3] = ["lib", "main", "command"];

const LAYER_CURE: &str = "move the shared type down a layer, or pass the value in from above";
const TABLE_CURE: &str = "put it into a module of the card, or give it a layer in xtask/src/tidy/layers.rs";

/// Imports of one file of waf-user against the table.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let Some(inside) = file.path.strip_prefix("waf-user/src/") else { return Vec::new() };
    let mut findings = Vec::new();
    let mut find = |line, what, cure| findings.push(Finding { path: file.path.clone(), line, what, cure });
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    for (line, code) in file.code() {
        for (wrapped, home) in WRAPPED {
            if module != home && names_crate(&code, wrapped) {
                let what = format!("{wrapped} is named outside {home}/");
                find(line, what, "call the module that wraps it");
            }
        }
    }
    if TOP.contains(&module) {
        return findings;
    }
    let Some((_, layer, peers)) = layer_of(module) else {
        find(0, format!("{module} has no layer"), TABLE_CURE);
        return findings;
    };
    let lines: Vec<String> = file.code().map(|(_, code)| code).collect();
    let code = lines.join("\n");
    for (at, imported) in crate_modules(&code, &root_by_super(inside)) {
        let line = code[..at].matches('\n').count() + 1;
        let Some((_, below, _)) = layer_of(imported) else {
            find(line, format!("{imported} has no layer"), TABLE_CURE);
            continue;
        };
        let engine_alone = module == "engine" && imported != "engine";
        // Tests may bring both ends of a conversation together.
        let is_above = if file.is_test() { below > layer } else { below >= layer };
        if imported != module && (engine_alone || is_above) && !peers.contains(&imported) {
            find(line, format!("{module} (layer {layer}) imports {imported} (layer {below})"), LAYER_CURE);
        }
    }
    findings
}

/// Whether the table has a module of this name.
pub fn is_module(name: &str) -> bool {
    layer_of(name).is_some()
}

fn layer_of(module: &str) -> Option<&'static (&'static str, u8, &'static [&'static str])> {
    LAYERS.iter().find(|(name, ..)| *name == module)
}

/// Whether code names a crate as a path's first segment.
fn names_crate(code: &str, name: &str) -> bool {
    let mut rest = code;
    while let Some(at) = rest.find(name) {
        let before = rest[..at].chars().next_back();
        let after = &rest[at + name.len()..];
        let starts = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
        if starts && after.starts_with("::") {
            return true;
        }
        rest = after;
    }
    false
}

/// The crate's root as a file below src/ may also call it: `super::` as often as the file lies deep.
fn root_by_super(inside: &str) -> String {
    let path = inside.trim_end_matches(".rs").trim_end_matches("/mod");
    "super::".repeat(path.split('/').count())
}

/// Place and name of each module behind `crate::` or the root's other name, those of a list `crate::{a, b::{c, d}}` too.
fn crate_modules<'a>(code: &'a str, by_super: &str) -> Vec<(usize, &'a str)> {
    let mut places = Vec::new();
    for root in ["crate::", by_super] {
        for (at, _) in code.match_indices(root) {
            let start = at + root.len();
            if code[start..].starts_with('{') {
                places.extend(items(&code[start + 1..]).into_iter().map(|item| start + 1 + item));
            } else {
                places.push(start);
            }
        }
    }
    let name = |at: usize| {
        let rest = &code[at..];
        &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())]
    };
    places.into_iter().map(|at| (at, name(at))).collect()
}

/// Where the items of a list begin, up to its closing brace.
fn items(list: &str) -> Vec<usize> {
    let (mut places, mut depth, mut begins) = (Vec::new(), 0, true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                places.push(at);
                begins = false;
            }
            _ => {}
        }
    }
    places
}
