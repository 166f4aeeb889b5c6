//! The layer table of waf-user: which module may import which, and which crate is named in one module only.

use super::{Finding, SourceFile};

/// Module, layer, and the modules of its own layer that it may import besides those of all lower layers.
const LAYERS: [(&str, u8, &[&str]); 13] = [
    ("model", 0, &[]),
    ("engine", 0, &[]),
    ("http", 0, &[]),
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

const LAYER_CURE: &str = "move the shared type down a layer, or pass the value in from above";

/// Imports of one file of waf-user against the table.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let Some(inside) = file.path.strip_prefix("waf-user/src/") else { return Vec::new() };
    let mut findings = Vec::new();
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    for (line, code) in file.code() {
        let mut find = |what, cure| findings.push(Finding { path: file.path.clone(), line, what, cure });
        for (wrapped, home) in WRAPPED {
            if module != home && names_crate(&code, wrapped) {
                find(format!("{wrapped} is named outside {home}/"), "call the module that wraps it");
            }
        }
        let Some((_, layer, peers)) = LAYERS.iter().find(|(name, ..)| *name == module) else { continue };
        for imported in crate_modules(&code) {
            let Some((_, below, _)) = LAYERS.iter().find(|(name, ..)| *name == imported) else { continue };
            let engine_alone = module == "engine" && imported != "engine";
            if imported != module && (engine_alone || *below >= *layer) && !peers.contains(&imported) {
                find(format!("{module} (layer {layer}) imports {imported} (layer {below})"), LAYER_CURE);
            }
        }
    }
    findings
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

/// The modules behind each `crate::` of a line, those in a `crate::{a, b}` list too.
fn crate_modules(code: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or(list).split(',').collect(),
            None => vec![rest],
        };
        for item in list {
            let end = item.trim_start().find(|c: char| !c.is_alphanumeric() && c != '_');
            let item = item.trim_start();
            modules.push(&item[..end.unwrap_or(item.len())]);
        }
    }
    modules
}
