//! Sites as their customers see them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A site's peak, as the sheet gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeakView {
    pub requests_s: u64,
    pub mbit_s: u64,
    /// 0 without TLS.
    pub handshakes_s: u64,
}

/// What the kernel's filter can do for the site at its IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StrengthView {
    /// The addresses are the site's own: per site from the first packet.
    Own,
    /// The addresses are shared: per site once a connection has named its site.
    Shared,
}

/// The environment of before the last move, which serves on until it is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OldView {
    pub cname: String,
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
}

/// One site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SiteView {
    pub fqdn: String,
    pub customer: String,
    /// What the site's CNAME points at.
    pub cname: String,
    /// All of them belong at a zone apex, where no CNAME can stand.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    pub strength: StrengthView,
    /// Whence the origin is reached: to be let through its firewall.
    #[schema(value_type = Vec<String>)]
    pub sources: BTreeSet<IpAddr>,
    pub peak: PeakView,
    pub origins: Vec<String>,
    /// SHA-256 of the certificate chain in hexadecimal digits; none without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// When the certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<String>,
    /// `block`, `detect` or `off`.
    pub mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paranoia: Option<u8>,
    /// When the environment that serves it was opened.
    pub opened: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<OldView>,
}

/// All sites that the token may see, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sites {
    /// Grows with every change of anything.
    pub revision: u64,
    pub sites: Vec<SiteView>,
}

/// What becomes of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeView {
    Opened,
    Same,
    InPlace,
    /// The customer has DNS to change.
    Move,
    RolledBack,
    OldClosed,
    Removed,
    NoPlace,
    MoveUnderWay,
}

/// Why, as far as it is the customer's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseView {
    Peak,
    Residency,
    Maintenance,
}

/// What a customer is told of one site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeView {
    pub fqdn: String,
    pub outcome: OutcomeView,
    pub causes: Vec<CauseView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<StrengthView>,
    #[schema(value_type = Vec<String>)]
    pub sources: BTreeSet<IpAddr>,
    /// To be let through before the change.
    #[schema(value_type = Vec<String>)]
    pub sources_new: BTreeSet<IpAddr>,
    /// The whole notice in English and in Japanese.
    pub text_en: String,
    pub text_ja: String,
}

/// In which a notice is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    Ja,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct NoticeQuery {
    /// `en` (the default) or `ja`.
    #[serde(default)]
    pub language: Language,
}

/// The completion notice of a site as it is served now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeText {
    pub fqdn: String,
    pub text: String,
}
