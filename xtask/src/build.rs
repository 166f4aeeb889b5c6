//! `cargo xtask build`: the BPF object by the route that works on this machine, then `waf`. Installs nothing.

mod route;

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

pub use route::{BpfProgram, LINKER_VERSION, Route, linker};

use crate::{process, say, workspace};

/// What the product is built with, and so everything that tests it: one graph of crates, built once.
pub const FEATURES: [&str; 2] = ["--features", "waf-user/etcd"];

/// Optimised or quick to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

/// The two files that a build makes.
#[derive(Clone, Debug)]
pub struct Built {
    /// The binary `waf`.
    pub waf: PathBuf,
    /// The BPF object.
    pub object: PathBuf,
}

/// Where a build of this profile puts its files.
pub fn paths(profile: Profile) -> Built {
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    Built { waf: workspace::target().join(folder).join("waf"), object: object(BpfProgram::Waf) }
}

fn object(program: BpfProgram) -> PathBuf {
    workspace::target().join("ebpf").join(route::TARGET).join("release").join(program.name())
}

/// Builds both, saying by which route.
///
/// # Errors
/// No route works (the message says what to install), or a compiler complains.
pub fn run(profile: Profile) -> Result<Built> {
    bpf(BpfProgram::Waf)?;

    let built = paths(profile);
    if process::find("protoc").is_none() {
        bail!("no protoc, which compiles etcd's messages: cargo xtask setup installs it");
    }
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "waf-user", "--bin", "waf"]).args(FEATURES);
    let is_first = !built.waf.is_file();
    if is_first {
        say!("build: waf and all it depends on, which takes some minutes the first time");
    }
    // A person sees how far a long build is; a log needs no line a crate.
    if !(is_first && stderr().is_terminal()) {
        cargo.arg("--quiet");
    }
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    process::show(&mut cargo).context("build waf")?;

    for file in [&built.waf, &built.object] {
        if !file.is_file() {
            bail!("the build left no {}", file.display());
        }
    }
    say!("build: {}\nbuild: {}", built.object.display(), built.waf.display());
    Ok(built)
}

/// Builds one BPF object, saying by which route.
///
/// # Errors
/// No route works (the message says what to install), or the compiler complains.
pub fn bpf(program: BpfProgram) -> Result<PathBuf> {
    let Some(route) = Route::find() else {
        bail!("no compiler for the BPF target: cargo xtask setup installs one");
    };
    let Some(linker) = linker() else {
        bail!("no bpf-linker {LINKER_VERSION}: cargo xtask setup installs it");
    };
    say!("build: BPF object {} by {route}, {}", program.name(), linker.display());
    process::show(&mut route.command(&linker, program)?).context("build the BPF object")?;
    Ok(object(program))
}
