//! `cargo xtask`: turns a command line into a call of the library, and an error into a message and an exit code.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use xtask::bench::{self, Form, Group};
use xtask::build::{self, Built, Profile};
use xtask::interrupt::{self, Interrupted};
use xtask::{complain, demo, fuzz, inspect, lab, load, privilege, say, setup, test, tidy};

/// Everything one does with this workspace beside writing code.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  cargo xtask demo          installs what is missing, builds, shows all of it\n  \
                        cargo xtask test          everything that CI checks\n  cargo xtask lab           \
                        two carriers to try by hand, until Ctrl-C"
)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what this machine lacks
    #[command(
        after_help = "Examples:\n  cargo xtask setup\n  cargo xtask setup --check\n  cargo xtask setup --bench"
    )]
    Setup {
        /// Also what bench and fuzz need: peers, load generators, cargo-fuzz
        #[arg(long)]
        bench: bool,
        /// Only say what is here and what is missing; exit non-zero if anything is
        #[arg(long)]
        check: bool,
    },
    /// Build the BPF object and waf
    #[command(after_help = "Examples:\n  cargo xtask build\n  cargo xtask build --release")]
    Build {
        /// Optimised; takes far longer
        #[arg(long)]
        release: bool,
    },
    /// Load a node's kernel half (root)
    #[command(after_help = "Example:\n  cargo xtask load --config /etc/waf/node.toml")]
    Load {
        /// node.toml of the node
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Instead of the kernel_object of node.toml
        #[arg(long, value_name = "FILE")]
        object: Option<PathBuf>,
    },
    /// Unload a node's kernel half (root)
    #[command(after_help = "Example:\n  cargo xtask unload --config /etc/waf/node.toml")]
    Unload {
        /// node.toml of the node
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Although a node is running: its sites then answer no more
        #[arg(long)]
        force: bool,
    },
    /// Print the pinned programs, links and maps of our nodes by bpftool (root)
    #[command(after_help = "Examples:\n  cargo xtask inspect\n  cargo xtask inspect a1")]
    Inspect {
        /// Name of one node; without it all nodes of this machine
        node: Option<String>,
    },
    /// Bring two carriers up in network namespaces and wait for Ctrl-C (root)
    #[command(after_help = "Example:\n  cargo xtask lab")]
    Lab {
        #[command(flatten)]
        binaries: Binaries,
    },
    /// Set up, build, and show all the WAF does, one line a step (root for the lab)
    #[command(after_help = "Examples:\n  cargo xtask demo\n  cargo xtask demo --serve")]
    Demo {
        /// Keep it up after the last step and say how to try it
        #[arg(long)]
        serve: bool,
        #[command(flatten)]
        binaries: Binaries,
    },
    /// Set up, then run formatter, lints, tidy and all tests (root for the integration tests)
    #[command(
        after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --soak     swaps, take-overs and kills under load\n  \
                      cargo xtask test --kernels  on kernels 6.1, 6.12 and newest\n  \
                      cargo xtask test --crs      the Core Rule Set's own tests, beside Apache with mod_security2"
    )]
    Test {
        /// Instead: swaps, take-overs and kills under load, which take long (root)
        #[arg(long)]
        soak: bool,
        /// Instead: the kernel half on Debian's kernels 6.1, 6.12 and newest, each booted under qemu
        #[arg(long, conflicts_with = "soak")]
        kernels: bool,
        /// Instead: the regression tests of the Core Rule Set, against a node and against Apache with mod_security2
        #[arg(long, conflicts_with_all = ["soak", "kernels"])]
        crs: bool,
    },
    /// Measure beside peers and print ratios with the targets beside them (root; --json for machines)
    #[command(
        after_help = "Examples:\n  cargo xtask bench\n  cargo xtask bench kernel\n  cargo xtask bench l1 --json"
    )]
    Bench {
        #[arg(value_enum, default_value = "all")]
        group: Group,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        binaries: Binaries,
    },
    /// Throw random input at parsers, guided by coverage
    #[command(after_help = "Examples:\n  cargo xtask fuzz\n  cargo xtask fuzz http_request --seconds 600")]
    Fuzz {
        /// One target; without it all, one after the other
        target: Option<String>,
        /// For each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Clear away what killed runs left; lab, demo and test do it themselves (root)
    #[command(hide = true)]
    Sweep,
    /// Run a finished test program, and clear away where it is stopped; test does it itself (root)
    #[command(hide = true)]
    Integration {
        program: PathBuf,
        /// For the program itself
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Check that the tree keeps its own rules
    #[command(after_help = "Example:\n  cargo xtask tidy")]
    Tidy,
}

/// Finished binaries, used as they are: neither set-up nor build.
#[derive(Args)]
struct Binaries {
    /// A finished waf; with --object nothing is built
    #[arg(long, value_name = "FILE", env = "WAF_BIN", requires = "object")]
    bin: Option<PathBuf>,
    /// A finished BPF object
    #[arg(long, value_name = "FILE", env = "WAF_OBJECT", requires = "bin")]
    object: Option<PathBuf>,
}

impl Binaries {
    /// The given binaries, or freshly built ones. It returns only in the worker: an ordinary user's process is replaced
    /// by root's, and that one stands guard.
    fn ready(self, task: &str, flags: &[&str], build: impl FnOnce() -> Result<Built>) -> Result<Built> {
        let built = match (self.bin, self.object) {
            (Some(waf), Some(object)) => Built { waf, object },
            _ => build()?,
        };
        let words = [task].into_iter().chain(flags.iter().copied()).map(OsStr::new);
        let files = ["--bin".as_ref(), built.waf.as_os_str(), "--object".as_ref(), built.object.as_os_str()];
        let words: Vec<&OsStr> = words.chain(files).collect();
        if !privilege::is_root() {
            privilege::rerun("namespaces, BPF programs and processes of another user need root", &words)?;
        }
        interrupt::guard(words)?;
        Ok(built)
    }
}

fn main() -> ExitCode {
    match run(Xtask::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Interrupted>() {
            Some(interrupted) => ExitCode::from(interrupt::exit_code(*interrupted)),
            None => {
                complain!("error: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Setup { check: true, bench } => {
            setup::show()?;
            if bench { setup::bench::check() } else { Ok(()) }
        }
        Task::Setup { check: false, bench } => {
            setup::run()?;
            if bench {
                setup::bench::run()?;
            }
            say!("setup: nothing is missing");
            Ok(())
        }
        Task::Build { release } => {
            let profile = if release { Profile::Release } else { Profile::Dev };
            build::run(profile).map(drop)
        }
        Task::Load { config, object } => load::load(&config, object.as_deref()),
        Task::Unload { config, force } => load::unload(&config, force),
        Task::Inspect { node } => inspect::run(node.as_deref()),
        Task::Lab { binaries } => {
            let built =
                binaries.ready("lab", &[], || setup::check().and_then(|()| build::run(Profile::Dev)))?;
            lab::run(&built)
        }
        Task::Demo { serve, binaries } => {
            let flags: &[&str] = if serve { &["--serve"] } else { &[] };
            let built =
                binaries.ready("demo", flags, || setup::run().and_then(|()| build::run(Profile::Dev)))?;
            demo::run(&built, serve)
        }
        Task::Test { soak: true, .. } => test::soak::run(),
        Task::Test { kernels: true, .. } => test::kernels::run(),
        Task::Test { crs: true, .. } => test::crs::run(),
        Task::Test { .. } => test::run(),
        Task::Bench { group, json, binaries } => {
            let flags: &[&str] = if json { &[group.word(), "--json"] } else { &[group.word()] };
            let built = binaries.ready("bench", flags, || bench::prepare(group))?;
            bench::run(&built, group, if json { Form::Json } else { Form::Table })
        }
        Task::Fuzz { target, seconds } => fuzz::run(target.as_deref(), seconds),
        Task::Sweep => lab::sweep::sweep(),
        Task::Integration { program, arguments } => test::attend(&program, &arguments),
        Task::Tidy => tidy::run(),
    }
}
