//! `/v1/bans`: who is refused, in the whole fleet or at one site.

use axum::extract::State;
use ipnet::IpNet;

use super::body::{Asked, Json, LONG_BODY_BYTES_MAX};
use super::caller::Caller;
use super::refused::Refused;
use super::words::{BanQuery, Bans, BansChanged, BansLift, BansNew, Mistake};
use super::{Api, show};
use crate::config::prefix::parse_prefix;
use crate::control::bans::{Making, Where};
use crate::control::environment::Site;
use crate::control::ledger::View;
use crate::model::Wall;

/// Bans of one request.
const BANS_MAX: usize = 10_000;
const LIMIT: u32 = 1000;
const REASON_LEN_MAX: usize = 200;
/// Ten years.
const SECONDS_MAX: u64 = 10 * 366 * 24 * 3600;

/// Bans that the token may see.
#[utoipa::path(get, path = "/v1/bans", params(BanQuery), responses((status = 200, body = Bans)))]
pub async fn list(
    State(api): State<Api>,
    caller: Caller,
    Asked(query): Asked<BanQuery>,
) -> Result<axum::Json<Bans>, Refused> {
    let known = api.ledger.view();
    let places = match &query.site {
        Some(site) => vec![place(&known, caller.site(&known, site)?)],
        None => {
            let fleet = caller.is_operator().then_some(Where::Fleet);
            let seen = known.state.sites().values().filter(|site| caller.may_see(site));
            fleet.into_iter().chain(seen.map(|site| place(&known, site))).collect()
        }
    };
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, BANS_MAX as u32) as usize;
    let page = api.bans.list(&places, query.after.as_deref(), limit)?;
    Ok(axum::Json(Bans { bans: page.bans.iter().map(show::ban).collect(), next: page.next }))
}

/// Makes bans. Bounds and forms are looked at first, and beyond them none is made; where the store fails on the way some may
/// be there, and the same request once more makes the others.
#[utoipa::path(post, path = "/v1/bans", request_body = BansNew, responses((status = 200, body = BansChanged)))]
pub async fn make(
    State(api): State<Api>,
    caller: Caller,
    Json(new): Json<BansNew, LONG_BODY_BYTES_MAX>,
) -> Result<axum::Json<BansChanged>, Refused> {
    let place = named(&api, &caller, new.site.as_deref())?;
    let prefixes = read(new.bans.iter().map(|ban| ban.prefix.as_str()), new.bans.len())?;
    let now = (api.clock)();
    let mut bans = Vec::with_capacity(prefixes.len());
    for (at, (prefix, ban)) in prefixes.into_iter().zip(new.bans).enumerate() {
        if ban.seconds.is_some_and(|seconds| seconds == 0 || seconds > SECONDS_MAX) {
            let error = format!("is outside 1..{SECONDS_MAX}");
            return Err(Refused::field(format!("bans[{at}].seconds"), error, "leave it out for ever"));
        }
        if ban.reason.chars().count() > REASON_LEN_MAX {
            let error = format!("has more than {REASON_LEN_MAX} characters");
            return Err(Refused::field(format!("bans[{at}].reason"), error, "say it in fewer words"));
        }
        let expires = ban.seconds.map(|seconds| Wall(now.0.saturating_add(seconds * 1000)));
        bans.push(Making { prefix, expires, reason: ban.reason, imported: new.import });
    }
    Ok(axum::Json(BansChanged { changed: api.bans.put(&place, bans, &caller.actor(), now).await? }))
}

/// Lifts bans.
#[utoipa::path(post, path = "/v1/bans/lift", request_body = BansLift, responses((status = 200, body = BansChanged)))]
pub async fn lift(
    State(api): State<Api>,
    caller: Caller,
    Json(lift): Json<BansLift, LONG_BODY_BYTES_MAX>,
) -> Result<axum::Json<BansChanged>, Refused> {
    let place = named(&api, &caller, lift.site.as_deref())?;
    let prefixes = read(lift.bans.iter().map(|ban| ban.prefix.as_str()), lift.bans.len())?;
    let changed = api.bans.lift(&place, prefixes, &caller.actor(), (api.clock)()).await?;
    Ok(axum::Json(BansChanged { changed }))
}

fn named(api: &Api, caller: &Caller, site: Option<&str>) -> Result<Where, Refused> {
    let known = api.ledger.view();
    match site {
        Some(site) => Ok(place(&known, caller.site(&known, site)?)),
        None if caller.is_operator() => Ok(Where::Fleet),
        None => Err(Refused::operators_only()),
    }
}

fn place(known: &View, site: &Site) -> Where {
    let both = [Some(site.current), site.old].into_iter().flatten();
    let there = both.filter(|tenant| known.state.environment(*tenant).is_some());
    Where::Site(site.fqdn.clone(), there.collect())
}

fn read<'a>(texts: impl Iterator<Item = &'a str>, count: usize) -> Result<Vec<IpNet>, Refused> {
    if count == 0 || count > BANS_MAX {
        return Err(Refused::field("bans", format!("{count} of them, 1 to {BANS_MAX} at once"), ""));
    }
    let (mut prefixes, mut mistakes) = (Vec::with_capacity(count), Vec::new());
    for (at, text) in texts.enumerate() {
        match parse_prefix(text) {
            Ok(prefix) => prefixes.push(prefix),
            Err(error) => mistakes.push(Mistake {
                field: format!("bans[{at}].prefix"),
                error: error.to_string(),
                cure: "write an address, or a prefix such as 192.0.2.0/24".to_owned(),
            }),
        }
    }
    if mistakes.is_empty() { Ok(prefixes) } else { Err(Refused::mistakes(mistakes)) }
}
