//! The step about a change that must move: another environment, both serving, the old one closed in the end.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::shown;
use super::sites::{cname, told};
use crate::interrupt;
use crate::lab::fleet::{Fleet, SHEETS, Sheet, environment};
use crate::lab::settings::SHOP;
use crate::lab::{CARRIERS, Request, Scheme};

/// More than SHOP's nodes can carry.
pub const SHOP_GROWN: Sheet = SHEETS[1].with(600, Some(100));
/// From the command that closes an environment to the last node's forgetting it.
const CLOSED: Duration = Duration::from_secs(15);
/// A closed address refuses at once, or drops.
const SILENCE: Duration = Duration::from_millis(400);

/// A peak that does not fit where the site is: planned as a move with reasons in figures, served by both, then closed.
///
/// # Errors
/// It is no move, one of both does not serve, or the old one serves on when it is closed.
pub fn moved(fleet: &mut Fleet) -> Result<String> {
    let old_name = cname(fleet, SHOP)?;
    let old = [fleet.lab().place(SHOP, CARRIERS[0])?, fleet.lab().place(SHOP, CARRIERS[1])?];
    let plan = fleet.plan(&[SHOP_GROWN])?;
    ensure!(plan.contains(": move: a new CNAME"), "the plan says otherwise: {plan}");
    shown("waf site plan shop.toml", &plan);
    let notices = fleet.apply(&[SHOP_GROWN])?;
    told(fleet, "the notice, as the customer gets it", &notices)?;
    let new_name = cname(fleet, SHOP)?;
    ensure!(new_name != old_name, "{SHOP} moved and is {old_name} still");
    let shop = fleet.site(SHOP)?;
    let before = environment(&shop, false).context("the environment of before the move")?;
    ensure!(fleet.places_of(before)? == old, "the old environment lies elsewhere: {before}");
    // Both serve: a visitor who knows the old addresses is answered as one who knows the new ones.
    let mut answered = 0;
    for carrier in CARRIERS {
        let new = fleet.lab().place(SHOP, carrier)?;
        let old = old[usize::from(carrier != CARRIERS[0])];
        ensure!(new.v4 != old.v4 && new.v6 != old.v6, "{SHOP} moved to an address that it had");
        for place in [old, new] {
            fleet.wait_served(&SHOP_GROWN, place)?;
            answered += 4;
        }
    }
    fleet.control().operator(&["site", "close", SHOP, "--yes"])?;
    for place in old {
        for address in [place.v4, place.v6] {
            let request = Request::get(Scheme::Http, SHOP, address, "/").connect_within(SILENCE);
            interrupt::until("the old environment to be closed", CLOSED, || {
                let answer = fleet.lab().client().send(&request)?;
                Ok(answer.is_none_or(|answer| answer.status != 200).then_some(()))
            })?;
        }
    }
    fleet.settle()?;
    Ok(format!(
        "{SHOP} from {old_name} to {new_name}: {answered} of {answered} requests answered by both environments over HTTP, \
         HTTPS, IPv4 and IPv6; the old one closed, its addresses answer no more"
    ))
}
