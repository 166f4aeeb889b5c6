//! `cargo xtask bench`: measures beside peers and prints the ratios with the targets beside them. Figures are no tests: it
//! fails only where something could not be measured.

mod fleet_bans;
mod harness;
mod kernel;
mod proxy;
mod reaction;
mod row;
mod rules;

use anyhow::{Result, bail};
use clap::ValueEnum;

pub use row::{Line, Row};

use crate::build::{self, Built, Profile};
use crate::say;
use crate::setup;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Nanoseconds per packet: K1 to K5.
    Kernel,
    /// CPU per request of the proxy alone beside nginx and haproxy, and with many tenants: L1.
    L1,
    /// CPU per request with the Core Rule Set beside nginx with libmodsecurity 3: L2 to L5.
    Rules,
    /// From the n-th refusal to the first drop in the kernel.
    Ban,
    /// From a ban at one carrier to the first drop in the kernel at the other, through the control plane.
    FleetBan,
    /// Nanoseconds per packet as services and lists grow.
    Growth,
    All,
}

impl Group {
    /// As it is typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::L1 => "l1",
            Self::Rules => "rules",
            Self::Ban => "ban",
            Self::FleetBan => "fleet-ban",
            Self::Growth => "growth",
            Self::All => "all",
        }
    }

    fn has(self, other: Self) -> bool {
        self == other || self == Self::All
    }
}

/// How lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Table,
    Json,
}

/// Release builds of what is measured.
///
/// # Errors
/// A tool is missing, or a build fails.
pub fn prepare(group: Group) -> Result<Built> {
    setup::bench::check()?;
    let built = build::run(Profile::Release)?;
    if group.has(Group::Kernel) || group.has(Group::Growth) {
        kernel::build()?;
    }
    Ok(built)
}

/// Measures as root, with finished binaries.
///
/// # Errors
/// Anything could not be measured; it is named in the output, which goes on with what could.
pub fn run(built: &Built, group: Group, form: Form) -> Result<()> {
    let mut report = Report { form, failed: 0 };
    if group.has(Group::Kernel) || group.has(Group::Growth) {
        report.part("kernel rows", |report| kernel::run(built, group, report));
    }
    if group.has(Group::L1) {
        report.part("L1", |report| proxy::run(built, report));
    }
    if group.has(Group::Rules) {
        report.part("L2 to L5", |report| rules::run(built, report));
    }
    if group.has(Group::Ban) {
        report.part("ban", |report| reaction::run(built, report));
    }
    if group.has(Group::FleetBan) {
        report.part("fleet-ban", |report| fleet_bans::run(built, report));
    }
    match report.failed {
        0 => Ok(()),
        failed => bail!("bench: {failed} row(s) could not be measured, see NOT MEASURED above"),
    }
}

/// Prints lines as they come.
struct Report {
    form: Form,
    failed: u32,
}

impl Report {
    fn take(&mut self, line: &Line) {
        if matches!(line, Line::Failed(_)) {
            self.failed += 1;
        }
        match self.form {
            Form::Table => say!("{line}"),
            Form::Json => say!("{}", line.to_json()),
        }
    }

    /// A part that fails does not hold up the others.
    fn part(&mut self, what: &str, run: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = run(self) {
            self.take(&Line::Failed(format!("{what}: {error:#}")));
        }
    }
}
