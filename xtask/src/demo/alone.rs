//! Steps about nodes that are left alone: with the control plane dead they start from their disks and serve; when it is
//! back they are as it wants within seconds; one that was restored from an old copy takes no node back.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::shown;
use crate::lab::fleet::{Fleet, SHEETS, Sheet};
use crate::lab::settings::SHADOW;
use crate::lab::{CARRIERS, Carrier, Lab, Mode, Request, Scheme};
use crate::{interrupt, process};

/// From the control plane's answering again to every node's serving by what was applied since: the contract's bound.
const CONVERGED: Duration = Duration::from_secs(5);
/// Until a restored control plane knows which generation each node serves: nodes connect again within two seconds.
const KNOWN: Duration = Duration::from_secs(10);
/// SHADOW no longer only watched: a change that visitors see.
const SHADOW_BLOCKS: Sheet = Sheet { mode: Mode::Block, ..SHEETS[3] };
/// Refused where rules may block.
const ATTACK: &str = "/search?q=1+UNION+SELECT+user,password+FROM+users";

/// The control plane is killed, then every node. Those of one carrier start again while the other is dead still, and
/// serve everything; then the others do.
///
/// # Errors
/// A node does not start, or a site is not served.
pub fn served(fleet: &mut Fleet) -> Result<String> {
    fleet.control_mut().0.kill()?;
    fleet.kill_nodes()?;
    let mut served = Vec::new();
    for carrier in CARRIERS {
        fleet.start_nodes_of(carrier).context("start from disk without a control plane")?;
        served.push(serves_at(fleet, carrier)?);
    }
    let [a, b] = CARRIERS.map(Carrier::name);
    Ok(format!(
        "{} nodes killed; {a} started from disk with no control plane and no peer: {} of {} requests answered; then {b}: {} of {}",
        fleet.lab().nodes().len(),
        served[0],
        served[0],
        served[1],
        served[1],
    ))
}

/// The control plane is back, a change is applied at once, and every node serves by it.
///
/// # Errors
/// That takes longer than it may.
pub fn converged(fleet: &mut Fleet) -> Result<String> {
    copy(fleet.control().data(), &old_copy(fleet))?;
    let (control, run) = fleet.control_mut();
    control.start(run)?;
    let start = Instant::now();
    ensure!(!blocks(fleet)?, "{SHADOW} blocks before it was asked to");
    fleet.apply(&[SHADOW_BLOCKS])?;
    interrupt::until("all nodes to serve by the change", CONVERGED, || {
        Ok((fleet.is_up_to_date(SHADOW)? && fleet.is_converged()?).then_some(()))
    })?;
    let took = start.elapsed();
    ensure!(blocks(fleet)?, "{SHADOW} was set to block and does not");
    ensure!(took <= CONVERGED, "it took {} ms", took.as_millis());
    Ok(format!(
        "{SHADOW} set to block meanwhile: all {} nodes connected, current and ready {} ms after the control plane answered",
        fleet.seats().len(),
        took.as_millis()
    ))
}

/// The control plane is started on a copy of before the change: it is told which nodes are ahead of it, and none goes
/// back. With its own data back, all agree again.
///
/// # Errors
/// A node obeys the older generation, or the control plane does not say that it is ahead.
pub fn refused(fleet: &mut Fleet) -> Result<String> {
    let (data, old) = (fleet.control().data().to_owned(), old_copy(fleet));
    let kept = data.with_file_name("data.kept");
    fleet.control_mut().0.stop()?;
    rename(&data, &kept)?;
    rename(&old, &data)?;
    let (control, run) = fleet.control_mut();
    control.start(run)?;
    let first = interrupt::until("the older control plane to know of newer nodes", KNOWN, || {
        let standings = fleet.standings()?;
        let ahead: Vec<_> = standings.iter().filter(|it| it["is_ahead"] == true).collect();
        Ok(ahead.first().filter(|_| ahead.len() == CARRIERS.len()).map(|it| (*it).clone()))
    })?;
    shown(
        "waf fleet list, of a control plane restored from an old copy",
        &fleet.control().operator(&["fleet", "list"])?,
    );
    ensure!(blocks(fleet)?, "the older generation is served");
    fleet.control_mut().0.stop()?;
    rename(&data, &old)?;
    rename(&kept, &data)?;
    let (control, run) = fleet.control_mut();
    control.start(run)?;
    interrupt::until("all nodes to agree again", CONVERGED, || Ok(fleet.is_converged()?.then_some(())))?;
    let served = serves_at(fleet, Carrier::A)? + serves_at(fleet, Carrier::B)?;
    Ok(format!(
        "restored from an old copy it wants generation {}: the {} nodes that serve {} keep to it; with its own data back all \
         agree, {served} of {served} requests answered",
        first["target"],
        CARRIERS.len(),
        first["generation"]
    ))
}

/// Every site by every scheme and family at a carrier.
fn serves_at(fleet: &Fleet, carrier: Carrier) -> Result<usize> {
    let mut served = 0;
    for sheet in fleet.sheets() {
        let place = fleet.lab().place(sheet.fqdn, carrier)?;
        for scheme in [Scheme::Http, Scheme::Https] {
            for address in [place.v4, place.v6] {
                let answer = fleet.lab().client().answer(&Request::get(scheme, sheet.fqdn, address, "/"))?;
                ensure!(answer.status == 200, "{} at {address}: {}", sheet.fqdn, answer.status);
                served += 1;
            }
        }
    }
    Ok(served)
}

/// Whether an attack on SHADOW is refused, at both carriers.
fn blocks(fleet: &Fleet) -> Result<bool> {
    let status = |lab: &Lab, carrier| -> Result<u16> {
        let address = lab.place(SHADOW, carrier)?.v4;
        Ok(lab.client().answer(&Request::get(Scheme::Http, SHADOW, address, ATTACK))?.status)
    };
    let [a, b] = CARRIERS.map(|carrier| status(fleet.lab(), carrier));
    Ok(a? == 403 && b? == 403)
}

fn old_copy(fleet: &Fleet) -> PathBuf {
    fleet.control().data().with_file_name("data.old")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    process::run(process::command("cp").arg("-a").arg("--").arg(from).arg(to))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).with_context(|| format!("rename {}", from.display()))
}
