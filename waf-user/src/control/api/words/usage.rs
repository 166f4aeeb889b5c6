//! What sites use, beside what was agreed: as their customers see it, and with nodes for operators.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PeakView, RatesView};

/// Rates of use a second. Requests are those that were asked for, refused ones among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsedView {
    pub requests_s: f64,
    pub mbit_s: f64,
    pub handshakes_s: f64,
    /// Requests refused with 429 as gross excess while there was not enough for all.
    pub limited_s: f64,
}

/// What is steadily above the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MeasureView {
    Requests,
    Bandwidth,
    Handshakes,
}

/// One measure that was above the contract in at least 12 of the last 15 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExcessView {
    pub measure: MeasureView,
    /// Above it, of the last 15.
    pub minutes: u64,
    /// Of the last 15 minutes, a second.
    pub mean_s: f64,
    pub contract_s: u64,
}

/// `GET /v1/sites/{fqdn}/usage`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteUsageView {
    pub fqdn: String,
    /// The peak of the site's sheet.
    pub contract: PeakView,
    /// Of the last seconds.
    pub used: UsedView,
    /// Of the last 15 whole minutes.
    pub mean: UsedView,
    /// Empty where nothing is steadily above the contract.
    pub excess: Vec<ExcessView>,
}

/// Which sites `GET /v1/usage` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Only those that are steadily above their contracts.
    #[serde(default)]
    pub excess: bool,
}

/// What goes over one placement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlacementUsageView {
    pub tenant: u32,
    pub node: String,
    pub carrier: String,
    pub reserved: RatesView,
    pub used: UsedView,
    /// Whether the node has told anything within the last seconds: if not, what it carries is not known.
    pub heard: bool,
}

/// One site, for operators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    pub customer: String,
    #[serde(flatten)]
    pub site: SiteUsageView,
    /// At each of its two carriers.
    pub reserved: RatesView,
    pub placements: Vec<PlacementUsageView>,
}

/// `GET /v1/usage`: in the order of the sites' names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Usages {
    pub revision: u64,
    pub sites: Vec<UsageView>,
}
