//! Steps about sheets: sites are opened, TLS is turned on and peaks change, each planned and shown before it is done. What
//! the customer gets is read with the customer's own token.

use anyhow::{Context, Result, ensure};

use super::shown;
use crate::lab::fleet::control::ZONE;
use crate::lab::fleet::{Fleet, Notice, SHEETS, Sheet, environment};
use crate::lab::settings::{ONE, SHADOW, SHOP, WWW};
use crate::lab::{CARRIERS, Place, Request, Scheme};

/// SHOP with a certificate.
pub const SHOP_TLS: Sheet = SHEETS[1].with(100, Some(50));
/// WWW after its campaign: from then on there is room on its nodes.
const WWW_LESS: Sheet = SHEETS[0].with(700, Some(300));
/// SHOP, nearly as far as it can grow where it is.
const SHOP_MORE: Sheet = SHEETS[1].with(300, Some(100));

/// All sheets in one plan; then the notices, and every site is served at two addresses.
///
/// # Errors
/// The plan is not as the rules want it, or a customer is shown what is not for customers.
pub fn opened(fleet: &mut Fleet) -> Result<String> {
    let plan = fleet.plan(&SHEETS)?;
    shown("waf site plan www.toml shop.toml one.toml shadow.toml", &plan);
    let notices = fleet.apply(&SHEETS)?;
    ensure!(notices.len() == SHEETS.len(), "{} notices for {} sheets", notices.len(), SHEETS.len());
    let mut cnames = Vec::new();
    for sheet in &SHEETS {
        let notice = notices.iter().find(|notice| notice.en.starts_with(sheet.fqdn));
        let notice = &notice.with_context(|| format!("no notice for {}", sheet.fqdn))?.en;
        ensure!(notice.contains("is protected from now on"), "{notice}");
        let cname = notice.lines().find_map(|line| line.strip_prefix("CNAME: "));
        let cname = cname.with_context(|| format!("the notice of {} names no CNAME", sheet.fqdn))?;
        ensure!(cname.ends_with(ZONE), "{cname} is not of the zone {ZONE}");
        cnames.push(cname.to_owned());
        for carrier in CARRIERS {
            let place = fleet.lab().place(sheet.fqdn, carrier)?;
            ensure!(notice.contains(&place.v4.to_string()), "{} is missing in: {notice}", place.v4);
        }
    }
    for carrier in CARRIERS {
        let place = |fqdn| fleet.lab().place(fqdn, carrier);
        let shares = place(ONE)?.v4 == place(SHADOW)?.v4;
        ensure!(shares, "{ONE} and {SHADOW} have an address each: the pools were to be empty");
        ensure!(place(WWW)?.v4 != place(SHOP)?.v4, "{WWW} and {SHOP} share an address");
        ensure!(place(ONE)?.v6 != place(SHADOW)?.v6, "{ONE} and {SHADOW} share an IPv6 address");
    }
    told(fleet, "the notices, as the customer gets them", &notices)?;
    Ok(format!("{} sites, each at two carriers: {}", cnames.len(), cnames.join(" ")))
}

/// The customer uploads a certificate: the same CNAME, the same addresses.
///
/// # Errors
/// It is no change in place, or TLS is not served.
pub fn tls_on(fleet: &mut Fleet) -> Result<String> {
    let before = CARRIERS.map(|carrier| fleet.lab().place(SHOP, carrier).ok());
    let [first, _] = before;
    let address = first.context("a place of the shop")?.v4;
    let knock = Request::get(Scheme::Https, SHOP, address, "/");
    ensure!(
        fleet.lab().client().send(&knock).ok().flatten().is_none(),
        "{SHOP} speaks TLS before it was asked to"
    );
    let plan = fleet.plan(&[SHOP_TLS])?;
    ensure!(plan.contains("in place") && plan.contains("TLS turned on"), "the plan says otherwise: {plan}");
    shown("waf site plan shop.toml", &plan);
    let notices = fleet.apply_as_customer(&[SHOP_TLS])?;
    told(fleet, "the notice, as the customer gets it", &notices)?;
    ensure!(before == CARRIERS.map(|carrier| fleet.lab().place(SHOP, carrier).ok()), "the addresses changed");
    let mut answered = 0;
    for carrier in CARRIERS {
        let Place { v4, v6, .. } = fleet.lab().place(SHOP, carrier)?;
        for address in [v4, v6] {
            let answer = fleet.lab().client().answer(&Request::get(Scheme::Https, SHOP, address, "/"))?;
            ensure!(answer.status == 200, "{SHOP} at {address}: {}", answer.status);
            answered += 1;
        }
    }
    Ok(format!("in place, by the customer's own hand; https answered at {answered} of {answered} addresses"))
}

/// One peak shrinks, one grows: both where they are.
///
/// # Errors
/// One would have to move, or has other addresses afterwards.
pub fn peaks(fleet: &mut Fleet) -> Result<String> {
    let sheets = [WWW_LESS, SHOP_MORE];
    let names = |fleet: &Fleet| -> Result<Vec<String>> {
        sheets.iter().map(|sheet| cname(fleet, sheet.fqdn)).collect()
    };
    let before = names(fleet)?;
    let plan = fleet.plan(&sheets)?;
    ensure!(plan.matches("in place").count() == sheets.len(), "the plan says otherwise: {plan}");
    shown("waf site plan www.toml shop.toml", &plan);
    let notices = fleet.apply(&sheets)?;
    told(fleet, "the notices, as the customer gets them", &notices)?;
    ensure!(names(fleet)? == before, "a CNAME changed");
    Ok(format!("{WWW} from 1,500 to 700 requests/s, {SHOP} from 100 to 300; CNAMEs and addresses stay"))
}

/// The name that a site's visitors are led to.
///
/// # Errors
/// The control plane has no such site.
pub fn cname(fleet: &Fleet, fqdn: &str) -> Result<String> {
    let shown = fleet.site(fqdn)?;
    let environment = environment(&shown, true).context("a site without environment")?;
    Ok(environment["cname"].as_str().context("an environment without name")?.to_owned())
}

/// Shows notices, of which the first in both languages; none holds what customers may not know.
///
/// # Errors
/// One tells too much.
pub fn told(fleet: &Fleet, what: &str, notices: &[Notice]) -> Result<()> {
    let english: Vec<&str> = notices.iter().map(|notice| notice.en.trim_end()).collect();
    shown(what, &english.join("\n\n"));
    if let Some(first) = notices.first() {
        shown("the first in Japanese", &first.ja);
    }
    notices.iter().try_for_each(|Notice { en, ja }| clean_of_our_words(fleet, &format!("{en}{ja}")))
}

/// # Errors
/// A text for customers names a node, a carrier or a region.
fn clean_of_our_words(fleet: &Fleet, text: &str) -> Result<()> {
    let nodes = fleet.lab().nodes().iter().map(|node| node.name().to_owned());
    let carriers = CARRIERS.map(|carrier| carrier.name().to_owned());
    for word in nodes.chain(carriers).chain(["tokyo", "osaka"].map(str::to_owned)) {
        ensure!(!text.contains(&word), "the customer is told of {word}: {text}");
    }
    Ok(())
}
