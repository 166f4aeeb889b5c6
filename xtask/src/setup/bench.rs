//! What `cargo xtask bench` and `fuzz` need beside everything else: peers to compare with, a load generator, cargo-fuzz.
//! haproxy and nginx's module are only unpacked, so that no service starts on the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt;
use crate::{process, say, workspace};

/// cargo-fuzz that was proven with the stable toolchain.
const FUZZ_VERSION: &str = "0.13.1";

/// Program, Debian package, and what it is for. None of these starts anything.
const PROGRAMS: [(&str, &str, &str); 3] = [
    ("xdp-filter", "xdp-tools", "the packet filter that K2 and K4 compare with"),
    ("wrk", "wrk", "sends the requests of L1 to L5"),
    ("python3", "python3", "runs the harness of L1 to L5"),
];

/// Libraries that haproxy may want, and their packages.
const LIBRARIES: [(&str, &str); 2] =
    [("libopentracing-c-wrapper.so.0", "libopentracing-c-wrapper0"), ("liblua5.3.so.0", "liblua5.3-0")];

/// nginx's module of libmodsecurity 3, the peer of L2 to L5.
const MODULE: &str = "libnginx-mod-http-modsecurity";
const MODULE_FILE: &str = "usr/lib/nginx/modules/ngx_http_modsecurity_module.so";
/// Its library, which starts nothing.
const MODULE_LIBRARY: &str = "libmodsecurity3";

/// Installs what is missing; says nothing where nothing is.
///
/// # Errors
/// Something cannot be installed here.
pub fn run() -> Result<()> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, ..)| process::find(program).is_none()).collect();
    for (program, package, why) in &missing {
        say!("setup: installing {package} (program {program}): {why}");
    }
    let packages: Vec<&str> = missing.iter().map(|(_, package, _)| *package).collect();
    if !packages.is_empty() {
        apt::install(&packages)?;
    }
    if haproxy().is_none() {
        say!(
            "setup: installing haproxy into target/tools: a peer of L1; unpacked only, no service is started"
        );
        install_haproxy()?;
    }
    if modsecurity().is_none() {
        say!(
            "setup: unpacking {MODULE} into target/tools, installing {MODULE_LIBRARY}: the peer of L2 to L5"
        );
        apt::unpack(MODULE, &module_folder())?;
        apt::install(&[MODULE_LIBRARY])?;
    }
    if cargo_fuzz().is_none() {
        say!("setup: installing cargo-fuzz {FUZZ_VERSION} into target/tools: drives the fuzz targets");
        process::show(&mut fuzz_install()).context("install cargo-fuzz")?;
    }
    check()
}

/// Says what is missing, installs nothing.
///
/// # Errors
/// Something is missing.
pub fn check() -> Result<()> {
    let programs = PROGRAMS.iter().filter(|(program, ..)| process::find(program).is_none());
    let mut missing: Vec<String> = programs
        .map(|(program, package, why)| format!("missing: {package} (program {program}): {why}"))
        .collect();
    if haproxy().is_none() {
        missing.push("missing: haproxy in target/tools: a peer of L1".to_owned());
    }
    if modsecurity().is_none() {
        missing.push(format!("missing: {MODULE} in target/tools, {MODULE_LIBRARY}: the peer of L2 to L5"));
    }
    if cargo_fuzz().is_none() {
        missing.push(format!(
            "missing: cargo-fuzz {FUZZ_VERSION} in target/tools: {}",
            process::line(&fuzz_install())
        ));
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("{}\ncargo xtask setup --bench installs it", missing.join("\n"))
}

/// A haproxy that runs.
pub fn haproxy() -> Option<PathBuf> {
    [Some(unpacked()), process::find("haproxy")].into_iter().flatten().find(|file| runs(file, "-v"))
}

/// The folder that nginx's module of libmodsecurity 3 was unpacked in, with the settings that its package recommends, if
/// all its libraries are here.
pub fn modsecurity() -> Option<PathBuf> {
    let file = module_folder().join(MODULE_FILE);
    let wanted = process::text(Command::new("ldd").arg(&file)).ok()?;
    (file.is_file() && !wanted.contains("not found")).then(module_folder)
}

fn module_folder() -> PathBuf {
    workspace::tools().join("modsecurity")
}

/// cargo-fuzz of the proven version, or any other that is there.
pub fn cargo_fuzz() -> Option<PathBuf> {
    let own = workspace::tools().join("bin").join("cargo-fuzz");
    [Some(own), process::find("cargo-fuzz")].into_iter().flatten().find(|file| runs(file, "--version"))
}

fn install_haproxy() -> Result<()> {
    apt::unpack("haproxy", &folder())?;
    let wanted = process::text(Command::new("ldd").arg(unpacked()))?;
    let missing: Vec<&str> = wanted.lines().filter(|line| line.contains("not found")).collect();
    let known = LIBRARIES.iter().filter(|(library, _)| missing.iter().any(|line| line.contains(library)));
    let packages: Vec<&str> = known.map(|(_, package)| *package).collect();
    if !packages.is_empty() {
        say!("setup: installing {}: libraries of haproxy", packages.join(" "));
        apt::install(&packages)?;
    }
    match haproxy() {
        Some(_) => Ok(()),
        None => bail!("the unpacked haproxy does not run here: {}", missing.join("; ")),
    }
}

fn fuzz_install() -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["install", "--root"]).arg(workspace::tools());
    cargo.args(["--version", FUZZ_VERSION, "--locked", "--quiet", "cargo-fuzz"]);
    cargo
}

fn folder() -> PathBuf {
    workspace::tools().join("haproxy")
}

fn unpacked() -> PathBuf {
    folder().join("usr/sbin/haproxy")
}

fn runs(file: &Path, asked: &str) -> bool {
    file.is_file() && process::run(Command::new(file).arg(asked)).is_ok()
}
