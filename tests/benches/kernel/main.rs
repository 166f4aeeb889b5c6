//! The kernel rows of `cargo xtask bench`, one line of JSON each: the filter beside bare programs, a plain trie and
//! xdp-filter, by BPF_PROG_TEST_RUN on one CPU. Arguments choose groups (kernel, growth) or what is in one (K1); started by
//! xtask as root.
#![forbid(unsafe_code)]

mod clean;
mod drops;
mod growth;
mod lists;
mod measure;
mod stage;
mod steering;
mod stranger;

#[path = "../../../waf-ebpf/src/bench/spread.rs"]
mod spread;

use anyhow::Result;
use xtask::bench::Line;

use self::stage::Stage;

type Group = fn(&Stage) -> Result<()>;

/// The CPU that everything measured runs on.
const CPU: usize = 0;

fn main() -> Result<()> {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let groups: [(&str, &str, Group); 6] = [
        ("kernel", "drops (K1, K5)", drops::run),
        ("kernel", "beside xdp-filter (K2, K4)", stranger::run),
        ("kernel", "lists (K3)", lists::run),
        ("kernel", "clean packets (K4)", clean::run),
        ("kernel", "CPUMAP", steering::run),
        ("growth", "growth", growth::run),
    ];
    measure::settle(CPU)?;
    for (name, what, run) in groups {
        if chosen.is_empty() || chosen.iter().any(|word| word == name || what.contains(word.as_str())) {
            // Each group on maps of its own: nothing of one is left for the next.
            if let Err(error) = Stage::new().and_then(|stage| run(&stage)) {
                say(&Line::Failed(format!("{what}: {error:#}")));
            }
        }
    }
    Ok(())
}

/// One line for xtask.
fn say(line: &Line) {
    println!("{}", line.to_json());
}
