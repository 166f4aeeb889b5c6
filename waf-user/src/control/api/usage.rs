//! `/v1/usage`: what sites use, beside what is reserved for them and what their contracts say.

use axum::Json;
use axum::extract::State;

use super::body::{Asked, Named};
use super::caller::{Caller, Operator};
use super::refused::Refused;
use super::words::{
    ExcessView, MeasureView, PlacementUsageView, SiteUsageView, UsageQuery, UsageView, Usages, UsedView,
};
use super::{Api, show};
use crate::control::capacity::Measure;
use crate::control::usage::{SiteUsage, Used};

/// All sites, or those that are steadily above their contracts, with nodes.
#[utoipa::path(get, path = "/v1/usage", params(UsageQuery), responses((status = 200, body = Usages)))]
pub async fn all(
    State(api): State<Api>,
    _operator: Operator,
    Asked(query): Asked<UsageQuery>,
) -> Json<Usages> {
    let known = api.ledger.view();
    let report = api.fleet.usage().report(&known.state, (api.uptime)());
    let shown = report.iter().filter(|site| !query.excess || !site.excess.is_empty());
    Json(Usages { revision: known.revision().0, sites: shown.map(whole).collect() })
}

/// One site, as its customer sees it.
#[utoipa::path(get, path = "/v1/sites/{fqdn}/usage", params(("fqdn" = String, Path)), responses((status = 200, body = SiteUsageView)))]
pub async fn one(
    State(api): State<Api>,
    caller: Caller,
    Named(fqdn): Named,
) -> Result<Json<SiteUsageView>, Refused> {
    let known = api.ledger.view();
    let site = caller.site(&known, &fqdn)?;
    let usage = api.fleet.usage().of_site(&known.state, site, (api.uptime)());
    usage.map(|usage| Json(own(&usage))).ok_or_else(|| Refused::not_found("site", &fqdn))
}

fn own(usage: &SiteUsage) -> SiteUsageView {
    let excess = usage.excess.iter().map(|excess| ExcessView {
        measure: match excess.measure {
            Measure::Requests => MeasureView::Requests,
            Measure::Bandwidth => MeasureView::Bandwidth,
            Measure::Handshakes => MeasureView::Handshakes,
        },
        minutes: excess.minutes as u64,
        mean_s: excess.mean.a_second(),
        contract_s: excess.contract,
    });
    SiteUsageView {
        fqdn: usage.fqdn.to_string(),
        contract: show::peak(usage.contract),
        used: used(usage.used),
        mean: used(usage.mean),
        excess: excess.collect(),
    }
}

fn whole(usage: &SiteUsage) -> UsageView {
    let placements = usage.placements.iter().map(|it| PlacementUsageView {
        tenant: it.tenant.number(),
        node: it.node.to_string(),
        carrier: it.carrier.to_string(),
        reserved: show::rates(it.reserved),
        used: used(it.used),
        heard: it.is_heard,
    });
    UsageView {
        customer: usage.customer.to_string(),
        site: own(usage),
        reserved: show::rates(usage.reserved),
        placements: placements.collect(),
    }
}

fn used(used: Used) -> UsedView {
    UsedView {
        requests_s: used.requests.a_second(),
        mbit_s: used.mbit.a_second(),
        handshakes_s: used.handshakes.a_second(),
        limited_s: used.limited.a_second(),
    }
}
