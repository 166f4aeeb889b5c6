//! Nodes and placements: for operators only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Requests, megabits and TLS handshakes a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatesView {
    pub requests_s: u64,
    pub mbit_s: u64,
    pub handshakes_s: u64,
}

/// What a node is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeStateView {
    #[default]
    Active,
    /// Serves what it has, takes nothing more, is to be emptied.
    Draining,
    /// Gone for good.
    Dead,
}

/// One node, as it is put and as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeView {
    pub name: String,
    pub carrier: String,
    pub region: String,
    /// Two letters; `jp` where nothing is said.
    #[serde(default = "jp")]
    pub residency: String,
    pub capacity: RatesView,
    /// Networks of its IPv4 pool; all addresses are routed to the node.
    pub ipv4: Vec<String>,
    /// At most a /96.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
    /// What it reaches origins from.
    pub sources: Vec<String>,
    /// When putting a node that is there already, none leaves its state as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NodeStateView>,
    /// What environments reserve here; shown, not to be put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<RatesView>,
    /// Environments with a placement here; shown, not to be put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<u64>,
    /// How it is, where it is connected to a control process; shown, not to be put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingView>,
}

/// How a connected node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingView {
    pub connected_since: String,
    /// The generation that it serves; 0: none.
    pub generation: u64,
    /// The revision whose document it is to serve.
    pub target: u64,
    /// Whether it serves what it is to serve, perhaps under an earlier generation.
    pub is_current: bool,
    /// Whether it serves a later revision than this control plane knows: that was restored from a backup.
    pub is_ahead: bool,
    /// Whether it serves all its tenants.
    pub is_ready: bool,
    /// Why it did not take what was sent last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    pub software: String,
    /// Bans that hold there.
    pub bans: u64,
    pub certificate_ends: String,
}

/// `POST /v1/nodes/{name}/revoke`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revoked {
    /// Certificates that the node had; it may join again with a new token.
    pub certificates: u64,
}

fn jp() -> String {
    "jp".to_owned()
}

/// `GET /v1/nodes`: in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Nodes {
    pub revision: u64,
    pub nodes: Vec<NodeView>,
}

/// `PUT /v1/nodes`: adds these and changes those that are there; takes none away. The form of an inventory file, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodesPut {
    #[serde(alias = "node")]
    pub nodes: Vec<NodeView>,
}

/// `POST /v1/nodes/{name}/join-token`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinTokenNew {
    /// How long it may be used, in seconds; an hour where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// A token with which this node may join, once. Shown this one time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinToken {
    pub node: String,
    pub token: String,
    pub expires: String,
}

/// One placement of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlacementView {
    pub node: String,
    pub carrier: String,
    pub ipv4: String,
    /// `own` or `shared`.
    pub strength: super::StrengthView,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
    pub reserved: RatesView,
}

/// One environment with everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentView {
    pub tenant: u32,
    pub cname: String,
    /// Whether it serves the site now; else it is the one of before the last move.
    pub current: bool,
    pub residency: String,
    pub generation: u64,
    pub opened: String,
    pub placements: Vec<PlacementView>,
}

/// `GET /v1/sites/{fqdn}/environments`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Environments {
    pub fqdn: String,
    pub customer: String,
    /// Every name that this site's environments ever had, the newest last.
    pub names: Vec<String>,
    pub environments: Vec<EnvironmentView>,
}
