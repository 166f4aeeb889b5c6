//! `/v1/sites`: what is served now.

use axum::Json;
use axum::extract::State;

use super::body::{Asked, Named};
use super::caller::{Caller, Operator};
use super::refused::Refused;
use super::words::{Environments, Language, NoticeQuery, NoticeText, SiteView, Sites};
use super::{Api, show};
use crate::control::change::Change;
use crate::control::plan::{self, Action, Decision, Notice};

/// All sites that the token may see.
#[utoipa::path(get, path = "/v1/sites", responses((status = 200, body = Sites)))]
pub async fn list(State(api): State<Api>, caller: Caller) -> Json<Sites> {
    let known = api.ledger.view();
    let seen = known.state.sites().values().filter(|site| caller.may_see(site));
    let sites = seen.filter_map(|site| show::site(&known, site)).collect();
    Json(Sites { revision: known.revision().0, sites })
}

/// One site.
#[utoipa::path(get, path = "/v1/sites/{fqdn}", params(("fqdn" = String, Path)), responses((status = 200, body = SiteView)))]
pub async fn one(
    State(api): State<Api>,
    caller: Caller,
    Named(fqdn): Named,
) -> Result<Json<SiteView>, Refused> {
    let known = api.ledger.view();
    let site = caller.site(&known, &fqdn)?;
    show::site(&known, site).map(Json).ok_or_else(|| Refused::not_found("site", &fqdn))
}

/// The completion notice of a site as it is served now.
#[utoipa::path(get, path = "/v1/sites/{fqdn}/notice", params(("fqdn" = String, Path), NoticeQuery), responses((status = 200, body = NoticeText)))]
pub async fn notice(
    State(api): State<Api>,
    caller: Caller,
    Named(fqdn): Named,
    Asked(query): Asked<NoticeQuery>,
) -> Result<Json<NoticeText>, Refused> {
    let known = api.ledger.view();
    let site = caller.site(&known, &fqdn)?;
    let serving = known.state.environment(site.current).cloned();
    let decision = Decision {
        fqdn: site.fqdn.clone(),
        action: Action::Change(Change::Same),
        reasons: Vec::new(),
        before: serving.clone(),
        after: serving,
    };
    let language = match query.language {
        Language::En => plan::Language::En,
        Language::Ja => plan::Language::Ja,
    };
    let text = Notice::new(&decision, &known.inventory).text(language);
    Ok(Json(NoticeText { fqdn: site.fqdn.to_string(), text }))
}

/// A site's environments with their placements, for operators.
#[utoipa::path(get, path = "/v1/sites/{fqdn}/environments", params(("fqdn" = String, Path)), responses((status = 200, body = Environments)))]
pub async fn environments(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(fqdn): Named,
) -> Result<Json<Environments>, Refused> {
    let known = api.ledger.view();
    let site = caller.site(&known, &fqdn)?;
    Ok(Json(show::environments(&known, site)))
}
