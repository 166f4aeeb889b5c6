//! K1: a listed source dropped after the full parse and order, beside a bare drop. K5: the same with sampled events. As
//! one hot source, and as a flood of random listed ones.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use ipnet::IpNet;
use waf_common::service::CONFIG_ACTIVE;

use crate::measure::{self, Subject, between};
use crate::stage::{DROP, Stage, listed, prefixes4, prefixes6, syn4, syn6};

/// Entries of the list that the random sources stand in.
const LISTED: u32 = 1000;

pub fn run(stage: &Stage) -> Result<()> {
    hot(stage)?;
    random(stage)?;
    sampled(stage)
}

fn hot(stage: &Stage) -> Result<()> {
    let (v4, v6) = (Ipv4Addr::new(198, 51, 100, 7), "2001:db8:99::7".parse::<Ipv6Addr>()?);
    stage.block([IpNet::from(std::net::IpAddr::from(v4)), "2001:db8:99::/64".parse()?])?;
    let bare = stage.program("bench_drop")?;
    for (family, frame) in [("v4", syn4(v4)), ("v6", syn6(v6))] {
        let subject = Subject { program: &stage.filter, frame: &frame, action: DROP };
        let other = Subject { program: bare, frame: &frame, action: DROP };
        measure::pairs(
            "K1",
            &format!("listed source dropped, one hot source, {family}"),
            "bare XDP_DROP",
            &subject,
            &other,
        )?;
    }
    Ok(())
}

/// The random source is made by a program in front of both, so both columns hold it.
fn random(stage: &Stage) -> Result<()> {
    stage.block(prefixes4(LISTED).map(IpNet::from).chain(prefixes6(LISTED).map(IpNet::from)))?;
    let bare = stage.program("bench_drop")?;
    let frames = [
        ("v4", "bench_spray4", syn4(Ipv4Addr::LOCALHOST)),
        ("v6", "bench_spray6", syn6(Ipv6Addr::LOCALHOST)),
    ];
    for (family, spray, frame) in frames {
        let program = stage.program(spray)?;
        let subject = Subject { program, frame: &frame, action: DROP };
        let what = format!("listed source dropped, random of {LISTED} prefixes, {family}");
        between(
            "K1rnd",
            &what,
            "bare XDP_DROP",
            || stage.spray(listed(LISTED), &stage.filter).and_then(|()| measure::nanoseconds(&subject)),
            || stage.spray(listed(LISTED), bare).and_then(|()| measure::nanoseconds(&subject)),
        )?;
    }
    Ok(())
}

/// A reader on the other CPU empties the ring, as the node does.
fn sampled(stage: &Stage) -> Result<()> {
    stage.block(prefixes4(LISTED).map(IpNet::from))?;
    let frame = syn4(Ipv4Addr::LOCALHOST);
    let spray = stage.program("bench_spray4")?;
    let subject = Subject { program: spray, frame: &frame, action: DROP };
    stage.spray(listed(LISTED), &stage.filter)?;
    let mut reports = stage.maps.take_reports()?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            drop(measure::settle(crate::CPU + 1));
            while !stop.load(Ordering::Relaxed) {
                while reports.take().is_some() {}
                thread::sleep(Duration::from_micros(200));
            }
        });
        let at = |every| stage.configure(CONFIG_ACTIVE, every).and_then(|()| measure::nanoseconds(&subject));
        let rows = [
            ("K5", 256, "one drop in 256 reported, random sources"),
            ("K5all", 1, "every drop reported, random sources"),
        ];
        let result = rows
            .into_iter()
            .try_for_each(|(id, every, what)| between(id, what, "no events", || at(every), || at(0)));
        stop.store(true, Ordering::Relaxed);
        result
    })
}
