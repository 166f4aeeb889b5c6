//! `cargo xtask setup`: what this machine lacks, one line each, and then there. Installs by apt, or into target/tools;
//! on other systems it says exactly what to install.

pub mod apache;
pub mod bench;
pub mod emulator;

mod apt;
mod etcd;
mod origin;

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

pub use origin::nginx;

use crate::build::{LINKER_VERSION, Route, linker};
use crate::{process, say, workspace};

/// Programs of the system, the Debian package of each, and what they are for.
const PROGRAMS: [(&str, &str, &str); 8] = [
    ("bpftool", "bpftool", "reads the kernel half's maps"),
    ("ip", "iproute2", "makes the lab's namespaces"),
    ("ethtool", "ethtool", "turns checksum offload off in the lab"),
    ("curl", "curl", "is the lab's client"),
    ("openssl", "openssl", "makes the lab's certificates"),
    ("nsenter", "util-linux", "enters the lab's namespaces"),
    ("setpriv", "util-linux", "drops the node's rights in the lab"),
    ("protoc", "protobuf-compiler", "compiles etcd's messages for its client"),
];

/// What packages lay where: the folder, the package, and what it is for.
const FOLDERS: [(&str, &str, &str); 2] = [
    (
        "/usr/share/modsecurity-crs/rules",
        "modsecurity-crs",
        "the Core Rule Set, which the rules engine is tested on",
    ),
    ("/usr/include/google/protobuf", "libprotobuf-dev", "what etcd's messages import"),
];

/// Debian's packages of a compiler with a prebuilt core library for the BPF target.
const COMPILER: [&str; 2] = ["rustc-web", "libstd-rust-web-dev-bpf"];

/// Components of the toolchain: cargo's subcommand, rustup's name, and what they are for.
const COMPONENTS: [(&str, &str, &str); 2] =
    [("fmt", "rustfmt", "checks the layout of the source"), ("clippy", "clippy", "checks the source")];

/// What to do about a lack.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cure {
    Compiler,
    Package(&'static str),
    Component(&'static str),
    Linker,
    Origin,
    Etcd,
}

/// One thing that the workspace needs of a machine.
#[derive(Clone, Debug)]
struct Need {
    what: String,
    why: &'static str,
    /// Where it lies, or its version.
    found: Option<String>,
    cure: Cure,
}

/// Installs what is missing; says nothing where nothing is.
///
/// # Errors
/// Something cannot be installed here; the message says what to do by hand.
pub fn run() -> Result<()> {
    let lacks = lacks();
    if lacks.is_empty() {
        return Ok(());
    }
    if !apt::is_here() {
        bail!("{}\nthis is no Debian or Ubuntu: {}", report(&lacks), by_hand(&lacks));
    }
    for lack in &lacks {
        say!("setup: installing {}: {}", lack.what, lack.why);
    }
    let start = Instant::now();
    if let Err(error) = install(&lacks) {
        bail!("{error:#}\nif that cannot be helped, {}", by_hand(&self::lacks()));
    }
    let left = self::lacks();
    if !left.is_empty() {
        bail!("{}\ninstalling did not help: {}", report(&left), by_hand(&left));
    }
    say!("setup: done in {} s", start.elapsed().as_secs());
    Ok(())
}

fn install(lacks: &[Need]) -> Result<()> {
    let mut packages: Vec<&str> = lacks.iter().filter_map(|lack| lack.cure.package()).collect();
    packages.dedup();
    if !packages.is_empty() {
        apt::install(&packages)?;
    }
    for lack in lacks {
        match &lack.cure {
            Cure::Package(_) => {}
            Cure::Compiler => install_compiler()?,
            Cure::Component(name) => process::run(Command::new("rustup").args(["component", "add", name]))
                .with_context(|| format!("install the toolchain's {name}"))?,
            Cure::Linker => install_linker()?,
            Cure::Origin => origin::install()?,
            Cure::Etcd => etcd::install()?,
        }
    }
    Ok(())
}

/// Says what is here and what is missing, installs nothing.
///
/// # Errors
/// Something is missing.
pub fn show() -> Result<()> {
    for need in needs() {
        if let Some(found) = need.found {
            say!("here:    {found}: {}", need.why);
        }
    }
    check()
}

/// Says nothing where nothing is missing, and installs nothing.
///
/// # Errors
/// Something is missing.
pub fn check() -> Result<()> {
    let lacks = lacks();
    if lacks.is_empty() {
        return Ok(());
    }
    bail!("{}\ncargo xtask setup installs it, or {}", report(&lacks), by_hand(&lacks))
}

fn lacks() -> Vec<Need> {
    needs().into_iter().filter(|need| need.found.is_none()).collect()
}

fn needs() -> Vec<Need> {
    let shown = |path: PathBuf| path.display().to_string();
    let mut needs = vec![
        Need {
            what: COMPILER.join(", "),
            why: "a compiler with a core library for the BPF target",
            found: Route::find().map(|route| route.to_string()),
            cure: Cure::Compiler,
        },
        Need {
            what: format!("bpf-linker {LINKER_VERSION} into target/tools"),
            why: "links the BPF object (compiles for some minutes)",
            found: linker().map(shown),
            cure: Cure::Linker,
        },
    ];
    needs.extend(PROGRAMS.map(|(program, package, why)| Need {
        what: format!("{package} (program {program})"),
        why,
        found: process::find(program).map(shown),
        cure: Cure::Package(package),
    }));
    needs.extend(FOLDERS.map(|(folder, package, why)| Need {
        what: package.to_owned(),
        why,
        found: Some(PathBuf::from(folder)).filter(|folder| folder.is_dir()).map(shown),
        cure: Cure::Package(package),
    }));
    needs.extend(COMPONENTS.map(|(subcommand, component, why)| Need {
        what: format!("{component} of the toolchain"),
        why,
        found: process::text(workspace::cargo().args([subcommand, "--version"])).ok(),
        cure: Cure::Component(component),
    }));
    needs.push(Need {
        what: "nginx into target/tools".to_owned(),
        why: "the lab's origin; unpacked only, no service is started",
        found: nginx().map(shown),
        cure: Cure::Origin,
    });
    needs.push(Need {
        what: "etcd into target/tools".to_owned(),
        why: "what the control plane's store is tested on; unpacked only, no service is started",
        found: etcd::etcd().map(shown),
        cure: Cure::Etcd,
    });
    needs
}

impl Cure {
    fn package(&self) -> Option<&'static str> {
        match self {
            Self::Package(name) => Some(name),
            Self::Compiler | Self::Component(_) | Self::Linker | Self::Origin | Self::Etcd => None,
        }
    }

    fn by_hand(&self) -> String {
        match self {
            Self::Compiler => process::line(&nightly_install()),
            Self::Package(name) => format!("the package with {name}"),
            Self::Component(name) => format!("rustup component add {name}"),
            Self::Linker => process::line(&linker_install()),
            Self::Origin => "nginx".to_owned(),
            Self::Etcd => "etcd (etcd-server)".to_owned(),
        }
    }
}

fn report(lacks: &[Need]) -> String {
    let lines: Vec<String> =
        lacks.iter().map(|lack| format!("missing: {}: {}", lack.what, lack.why)).collect();
    lines.join("\n")
}

fn by_hand(lacks: &[Need]) -> String {
    let mut cures: Vec<String> = lacks.iter().map(|lack| lack.cure.by_hand()).collect();
    cures.dedup();
    format!("install by hand: {}", cures.join("; "))
}

/// Debian's compiler; where apt has none, a nightly that builds the core library itself.
fn install_compiler() -> Result<()> {
    let Err(error) = apt::install(&COMPILER) else { return Ok(()) };
    if process::find("rustup").is_none() {
        return Err(error).context("install a compiler for the BPF target");
    }
    say!("setup: apt has no {}: installing a nightly with rust-src by rustup", COMPILER.join(", "));
    process::run(&mut nightly_install()).context("install a nightly with rust-src")
}

fn nightly_install() -> Command {
    let mut rustup = process::command("rustup");
    rustup.args(["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"]);
    rustup
}

fn linker_install() -> Command {
    let mut cargo = workspace::cargo();
    // It builds in a temporary folder, and leaves only the program.
    cargo.env_remove("CARGO_TARGET_DIR");
    cargo.args(["install", "--root"]).arg(workspace::tools());
    cargo.args(["--version", LINKER_VERSION, "--locked", "--quiet", "bpf-linker"]);
    cargo
}

fn install_linker() -> Result<()> {
    process::show(&mut linker_install()).context("install bpf-linker")
}
