//! `waf bench`: what this machine can carry, measured with the product itself.

mod figures;
mod load;
mod origin;
mod subject;

use std::error::Error;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::Outcome;
use super::show;
use figures::{Alone, Figures, Mix};
use load::Work;
use origin::Origin;
use subject::Subject;

/// Measure this machine with the product's own node.
#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Measure what a node on this machine can carry, and print it as an inventory file has it
    ///
    /// Starts a node of its own on loopback addresses with the Core Rule Set (or the starter rules where it is not
    /// installed), an origin and visitors, and counts what the node did for the CPU time that it took: visitors and origin
    /// run on the same CPUs and cost the node nothing. The three measures are taken one after the other; the figures
    /// printed are what all three may come to at once. No packet leaves the machine and no running node is touched; a
    /// quiet machine gives steadier figures. What the network's line carries is not measured: name it with --line-mbit.
    #[command(
        after_help = "Examples:\n  waf bench capacity --line-mbit 10000\n  waf bench capacity --seconds 20 --json\n\n\
        Exit codes: 0 measured, 1 failed, 2 wrong usage."
    )]
    Capacity(Capacity),
}

#[derive(Args)]
struct Capacity {
    /// How long each of the three measures is taken
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// What the line carries
    #[arg(long, value_name = "MBIT/S", value_parser = clap::value_parser!(u64).range(1..))]
    line_mbit: Option<u64>,
    /// Parts of the CPU for requests, handshakes and bandwidth, 100 together
    #[arg(long, value_name = "N,N,N", default_value = "50,25,25")]
    mix: Mix,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub fn run(self) -> Outcome {
        let Action::Capacity(capacity) = self.action;
        capacity.run()
    }
}

impl Capacity {
    fn run(self) -> Outcome {
        let cpus = std::thread::available_parallelism()?.get();
        let origin = Origin::start()?;
        eprintln!("starting a node with its rules");
        let mut subject = Subject::start(origin.address())?;
        let within = Duration::from_secs(self.seconds);
        let mut alone = |what: &str, work: Work| -> Result<Alone, Box<dyn Error>> {
            eprintln!("measuring {what}, {} s", self.seconds);
            let (done, cpu) = load::run(&mut subject, work, within)?;
            Ok(Alone { done, cpu, cpus })
        };
        let requests = alone("requests", Work::Requests)?;
        let handshakes = alone("TLS handshakes", Work::Handshakes)?;
        let bytes = alone("bandwidth", Work::Bandwidth)?;
        let figures = Figures::new(requests, handshakes, bytes, &self.mix, self.line_mbit)?;
        if self.json { show::json(&figures) } else { show::print(&figures.to_string()) }
    }
}
