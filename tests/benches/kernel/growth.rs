//! Nanoseconds per packet as services and lists grow, random sources and destinations, against the same packets with one
//! service and ten entries.

use std::net::Ipv4Addr;

use anyhow::Result;
use ipnet::IpNet;

use crate::measure::{Subject, between, nanoseconds};
use crate::stage::{DROP, PASS, Spray, Stage, clean, listed, prefixes4, syn4};

const SERVICES: [u32; 3] = [1, 100, 10_000];
const ENTRIES: [u32; 5] = [10, 100, 1000, 10_000, 100_000];

pub fn run(stage: &Stage) -> Result<()> {
    let smallest = Stage::new()?;
    smallest.block(prefixes4(10).map(IpNet::from))?;
    for services in SERVICES {
        stage.serve(services)?;
        stage.block(prefixes4(1000).map(IpNet::from))?;
        compare(stage, &smallest, &format!("{services} services, 1000 blocks"), services, 1000)?;
    }
    stage.serve(100)?;
    for entries in ENTRIES {
        stage.block(prefixes4(entries).map(IpNet::from))?;
        compare(stage, &smallest, &format!("100 services, {entries} blocks"), 100, entries)?;
    }
    Ok(())
}

fn compare(stage: &Stage, smallest: &Stage, what: &str, services: u32, entries: u32) -> Result<()> {
    let frame = syn4(Ipv4Addr::LOCALHOST);
    let kinds = [("clean", clean(), clean(), PASS), ("listed", listed(entries), listed(10), DROP)];
    for (kind, spray, base, action) in kinds {
        let grown = Subject { program: stage.program("bench_spray4")?, frame: &frame, action };
        let first = Subject { program: smallest.program("bench_spray4")?, frame: &frame, action };
        let spray = Spray { destinations: services, ..spray };
        stage.spray(spray, &stage.filter)?;
        smallest.spray(Spray { destinations: 1, ..base }, &smallest.filter)?;
        between(
            "growth",
            &format!("{kind} packet, {what}, random sources"),
            "1 service, 10 blocks",
            || nanoseconds(&grown),
            || nanoseconds(&first),
        )?;
    }
    Ok(())
}
