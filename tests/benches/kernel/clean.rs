//! A clean packet through the whole order beside a bare pass: what every visitor pays. (Beside xdp-filter's pass it stands
//! in [`crate::stranger`].)

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use ipnet::IpNet;
use waf_common::block::SCOPE_NODE;
use waf_user::kernel::AllowEntry;

use crate::measure::{self, Subject, between};
use crate::stage::{PASS, Stage, clean, prefixes4, prefixes6, syn4, syn6};

const LISTED: u32 = 1000;
const ALLOWED: u32 = 100;

/// Lists of ordinary length, as K4 wants them.
pub fn fill(stage: &Stage) -> Result<()> {
    stage.block(prefixes4(LISTED).map(IpNet::from).chain(prefixes6(LISTED).map(IpNet::from)))?;
    let allowed = prefixes4(LISTED + ALLOWED).skip(LISTED as usize).map(IpNet::from);
    let allowed: Vec<AllowEntry> = allowed.map(|prefix| AllowEntry { scope: SCOPE_NODE, prefix }).collect();
    Ok(stage.maps.replace_allow(&allowed)?)
}

pub fn run(stage: &Stage) -> Result<()> {
    fill(stage)?;
    let bare = stage.program("bench_pass")?;
    let hot = Ipv4Addr::new(198, 51, 100, 9);
    let frame = syn4(hot);
    measure::pairs(
        "K4bare",
        &format!("clean packet, one hot source, {LISTED} blocks, v4"),
        "bare XDP_PASS",
        &Subject { program: &stage.filter, frame: &frame, action: PASS },
        &Subject { program: bare, frame: &frame, action: PASS },
    )?;
    let frames = [("v4", "bench_spray4", syn4(hot)), ("v6", "bench_spray6", syn6(Ipv6Addr::LOCALHOST))];
    for (family, spray, frame) in frames {
        let subject = Subject { program: stage.program(spray)?, frame: &frame, action: PASS };
        between(
            "K4bare",
            &format!("clean packet, random sources, {LISTED} blocks, {family}"),
            "bare XDP_PASS",
            || stage.spray(clean(), &stage.filter).and_then(|()| measure::nanoseconds(&subject)),
            || stage.spray(clean(), bare).and_then(|()| measure::nanoseconds(&subject)),
        )?;
    }
    Ok(())
}
