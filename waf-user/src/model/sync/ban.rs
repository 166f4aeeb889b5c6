//! Bans as they travel: for the fleet or for one tenant wherever it is served, with the time that is left, so that no two
//! clocks have to agree. Which of them a node can hold, and how, is not known here.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where a ban of the fleet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum FleetScope {
    /// Every node, every tenant.
    Fleet,
    /// Every node that serves this tenant, for it alone.
    Tenant(u32),
}

/// Why a text names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope: write fleet or tenant:ID")]
pub struct FleetScopeError(String);

impl FromStr for FleetScope {
    type Err = FleetScopeError;

    /// `fleet`, `tenant:7`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_prefix("tenant:").and_then(|id| id.parse().ok());
        match (text, number) {
            ("fleet", _) => Ok(Self::Fleet),
            (_, Some(id @ 1..=0x7fff_ffff)) => Ok(Self::Tenant(id)),
            _ => Err(FleetScopeError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for FleetScope {
    type Error = FleetScopeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FleetScope> for String {
    fn from(scope: FleetScope) -> Self {
        scope.to_string()
    }
}

impl fmt::Display for FleetScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => f.write_str("fleet"),
            Self::Tenant(tenant) => write!(f, "tenant:{tenant}"),
        }
    }
}

/// Who made a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BanSource {
    /// The feedback loop of a node.
    Rules,
    /// `waf ban add --control`.
    Operator,
    /// `waf ban import`.
    Import,
}

impl BanSource {
    /// One word for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Operator => "operator",
            Self::Import => "import",
        }
    }
}

/// What one ban is told from another by: there is one a scope and prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BanKey {
    pub scope: FleetScope,
    pub prefix: IpNet,
}

/// One ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanRecord {
    pub scope: FleetScope,
    pub prefix: IpNet,
    pub source: BanSource,
    /// Time left when this was said, ms; none = never ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<u64>,
    /// For people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A ban that holds no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lifted {
    pub scope: FleetScope,
    pub prefix: IpNet,
}

impl BanRecord {
    pub const fn key(&self) -> BanKey {
        BanKey { scope: self.scope, prefix: self.prefix }
    }
}

impl Lifted {
    pub const fn key(&self) -> BanKey {
        BanKey { scope: self.scope, prefix: self.prefix }
    }
}
