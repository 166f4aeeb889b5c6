//! Which compiler on this machine makes BPF code: one with a prebuilt core for the target, or a nightly that builds
//! core itself.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, workspace};

/// The BPF target of our servers' byte order.
pub const TARGET: &str = "bpfel-unknown-none";
/// The linker that was proven with both routes (LLVM 22).
pub const LINKER_VERSION: &str = "0.10.3";
/// Debug information becomes BTF: bpftool then prints field names. v3 has 32-bit arithmetic, known to kernels from 5.1 on.
const FLAGS: [&str; 8] =
    ["-C", "linker=bpf-linker", "-C", "target-cpu=v3", "-C", "debuginfo=2", "-C", "link-arg=--btf"];

/// What waf-ebpf makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BpfProgram {
    /// The filter and steering.
    Waf,
    /// What the bench compares them with.
    Bench,
}

impl BpfProgram {
    /// The object's file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waf => "waf",
            Self::Bench => "waf_bench",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Waf => &["--bin", "waf"],
            Self::Bench => &["--bin", "waf_bench", "--features", "bench"],
        }
    }
}

/// A way to compile waf-ebpf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A compiler with a prebuilt core for the target, such as Debian's rustc-web.
    Prebuilt { rustc: PathBuf },
    /// A toolchain of rustup with rust-src, by `-Z build-std=core`.
    BuildStd { toolchain: String },
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prebuilt { rustc } => write!(f, "{} with its prebuilt core", rustc.display()),
            Self::BuildStd { toolchain } => write!(f, "rustup toolchain {toolchain} with -Z build-std=core"),
        }
    }
}

impl Route {
    /// The route to take here: prebuilt core first, because it compiles less and needs no nightly.
    pub fn find() -> Option<Self> {
        prebuilt().or_else(build_std)
    }

    /// The cargo call that makes the object, in a build of its own: features of waf-common must not unify.
    ///
    /// # Errors
    /// The linker's folder cannot be put into PATH.
    pub fn command(&self, linker: &Path, program: BpfProgram) -> Result<Command> {
        let mut cargo = match self {
            Self::Prebuilt { rustc } => {
                let mut cargo = workspace::cargo();
                // Both are stable compilers; the target and its link arguments are not.
                cargo.env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
                cargo.arg("build");
                cargo
            }
            Self::BuildStd { toolchain } => {
                let mut cargo = Command::new("rustup");
                cargo.current_dir(workspace::root());
                workspace::clean(&mut cargo);
                for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
                    cargo.env_remove(name);
                }
                cargo.args(["run", toolchain.as_str(), "cargo", "build", "-Z", "build-std=core"]);
                cargo
            }
        };
        let folder = linker.parent().context("bpf-linker lies in no folder")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([folder.to_owned()].into_iter().chain(std::env::split_paths(&path)))
            .with_context(|| format!("put {} into PATH", folder.display()))?;
        // bpf-linker opens the LLVM library that came with the compiler which built it: the workspace's own.
        if let Some(sysroot) = sysroot() {
            cargo.env("LD_LIBRARY_PATH", sysroot.join("lib"));
        }
        cargo
            .env("PATH", path)
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
            .args(["--quiet", "--release", "--package", "waf-ebpf", "--target", TARGET, "--target-dir"])
            .arg(workspace::target().join("ebpf"))
            .args(program.arguments());
        Ok(cargo)
    }
}

/// bpf-linker of the proven version: our own, else one in PATH.
pub fn linker() -> Option<PathBuf> {
    let own = workspace::tools().join("bin").join("bpf-linker");
    let candidates = [Some(own), process::find("bpf-linker")];
    candidates.into_iter().flatten().find(|file| {
        let said = process::text(Command::new(file).arg("--version"));
        said.is_ok_and(|said| said.split_whitespace().any(|word| word == LINKER_VERSION))
    })
}

/// Where the workspace's compiler keeps its libraries.
fn sysroot() -> Option<PathBuf> {
    let mut asked = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    workspace::clean(&mut asked);
    let said = process::text(asked.current_dir(workspace::root()).args(["--print", "sysroot"])).ok()?;
    Some(PathBuf::from(said.trim()))
}

fn prebuilt() -> Option<Route> {
    let candidates = [Some(PathBuf::from("/usr/bin/rustc")), process::find("rustc")];
    candidates.into_iter().flatten().find(|rustc| has_core(rustc)).map(|rustc| Route::Prebuilt { rustc })
}

fn has_core(rustc: &Path) -> bool {
    let mut asked = Command::new(rustc);
    workspace::clean(&mut asked);
    let Ok(folder) = process::text(asked.args(["--print", "target-libdir", "--target", TARGET])) else {
        return false;
    };
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn build_std() -> Option<Route> {
    let listed = process::text(Command::new("rustup").args(["toolchain", "list"])).ok()?;
    let nightlies = listed.lines().filter_map(|line| line.split_whitespace().next());
    nightlies
        .filter(|name| name.starts_with("nightly"))
        .find(|name| has_source(name))
        .map(|name| Route::BuildStd { toolchain: name.to_owned() })
}

fn has_source(toolchain: &str) -> bool {
    let sysroot =
        process::text(Command::new("rustup").args(["run", toolchain, "rustc", "--print", "sysroot"]));
    sysroot.is_ok_and(|root| Path::new(&root).join("lib/rustlib/src/rust/library/core").is_dir())
}
