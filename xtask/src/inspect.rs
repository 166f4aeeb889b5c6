//! `cargo xtask inspect`: what bpftool, on its own, reads from our pins: programs, links and maps with field names.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{privilege, process, say};

/// Below it each node has `<node>/bpf/v<schema>/{maps,progs,links}`.
const RUN_DIR: &str = "/run/waf";
/// Maps that hold sockets, CPUs or a ring: bpftool shows them, but has nothing to dump.
const NOT_DUMPED: [&str; 3] = ["EVENTS", "SOCKETS", "CPUS"];

/// Prints the pins of one node, or of all nodes here.
///
/// # Errors
/// No bpftool, no root, or no node loaded.
pub fn run(node: Option<&str>) -> Result<()> {
    if process::find("bpftool").is_none() {
        bail!("no bpftool: cargo xtask setup installs it");
    }
    if !privilege::is_root() {
        let words: Vec<&OsStr> = ["inspect"].into_iter().chain(node).map(OsStr::new).collect();
        return privilege::rerun("reading BPF programs needs root", &words);
    }
    let nodes: Vec<PathBuf> = match node {
        Some(node) => vec![Path::new(RUN_DIR).join(node)],
        None => entries(Path::new(RUN_DIR)),
    };
    let schemas: Vec<PathBuf> = nodes.iter().flat_map(|node| entries(&node.join("bpf"))).collect();
    if schemas.is_empty() {
        bail!("no kernel half is loaded: nothing pinned at {RUN_DIR}/{}", node.unwrap_or("*"));
    }
    for schema in schemas {
        for pin in entries(&schema.join("progs")) {
            show("prog", "show", &pin)?;
        }
        for pin in entries(&schema.join("links")) {
            show("link", "show", &pin)?;
        }
        for pin in entries(&schema.join("maps")) {
            show("map", "show", &pin)?;
            let name = pin.file_name().unwrap_or_default().to_string_lossy();
            if !NOT_DUMPED.contains(&name.as_ref()) {
                show("map", "dump", &pin)?;
            }
        }
    }
    Ok(())
}

fn show(object: &str, verb: &str, pin: &Path) -> Result<()> {
    say!("# bpftool {object} {verb} pinned {}", pin.display());
    process::show(process::command("bpftool").args([object, verb, "pinned"]).arg(pin))
}

/// The entries of a folder in order of their names; none where there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(read) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = read.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
