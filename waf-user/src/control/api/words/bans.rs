//! Bans of the whole fleet and of single sites.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BanQuery {
    /// Only those of this site; none: all that the token may see.
    #[serde(default)]
    pub site: Option<String>,
    /// Go on behind this one: `next` of the answer before.
    #[serde(default)]
    pub after: Option<String>,
    /// At most this many, 1 to 10,000; 1,000 where nothing is said.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// One ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BanView {
    pub prefix: String,
    /// The site it holds for; none: the whole fleet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// `rules`, `operator` or `import`.
    pub origin: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// `GET /v1/bans`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bans {
    pub bans: Vec<BanView>,
    /// Ask on with `after` = this; none: that was all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A ban to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBan {
    /// An address or a prefix.
    pub prefix: String,
    /// How long, in seconds; none: until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// `POST /v1/bans`: at most 10,000 at once. Where one of them cannot be made none is; where the answer is 503 some may have
/// been made, and the same request once more makes the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BansNew {
    /// The site they hold for; none: the whole fleet (operators).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Whether they come from a list rather than from a person.
    #[serde(default)]
    pub import: bool,
    pub bans: Vec<NewBan>,
}

/// One ban to be lifted: its prefix as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLift {
    pub prefix: String,
}

/// `POST /v1/bans/lift`: at most 10,000 at once. Where the answer is 503 some may have been lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BansLift {
    /// The site they hold for; none: the whole fleet (operators).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    pub bans: Vec<NewLift>,
}

/// How many bans were made or lifted; those that were so already do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BansChanged {
    pub changed: u64,
}
