//! What the node serves: tenants, lists and the ban policy.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use super::{Exclusion, OriginUrl, Source};
use crate::engine::Levels;
use crate::model::sync::Contract;
use crate::model::{Fqdn, Mode, TenantId};

/// Tenants, node-wide lists and the ban policy.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    pub allow: Vec<IpNet>,
    pub block: Vec<IpNet>,
    /// Private networks that origins may lie in.
    pub origin_networks: Vec<IpNet>,
    pub ban: BanPolicy,
    /// What this machine can carry; 0: not known, and not held to.
    pub capacity: Contract,
    pub tenants: Vec<TenantConfig>,
}

/// When the feedback loop bans a source.
#[derive(Clone, Debug)]
pub struct BanPolicy {
    /// Refused requests within the window.
    pub refused: u32,
    /// Least share of refused among all requests of the source, 0.0..=1.0.
    pub ratio: f64,
    pub window_s: u32,
    pub ttl_s: u32,
    /// Bans of a source that comes again last `ttl_growth` times longer each time, up to this.
    pub ttl_max_s: u32,
    /// At least 1.0, which is no growth.
    pub ttl_growth: f64,
    pub scope: BanPolicyScope,
    /// Sources that the rules never ban, and an operator only with force.
    pub never: Vec<IpNet>,
}

impl Default for BanPolicy {
    fn default() -> Self {
        Self {
            refused: 10,
            ratio: 0.5,
            window_s: 10,
            ttl_s: 600,
            ttl_max_s: 86_400,
            ttl_growth: 2.0,
            scope: BanPolicyScope::Tenant,
            never: Vec::new(),
        }
    }
}

/// The key `scope` of [ban].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BanPolicyScope {
    #[default]
    Tenant,
    Address,
    Node,
}

/// One [[tenant]].
#[derive(Clone, Debug)]
pub struct TenantConfig {
    pub id: TenantId,
    pub fqdn: Fqdn,
    pub default: bool,
    pub addresses: Vec<IpAddr>,
    pub http_port: u16,
    pub https_port: u16,
    /// Worker set; empty = all.
    pub workers: Vec<u16>,
    /// Both or neither; TLS is served only with them.
    pub certificate: Option<Source>,
    pub key: Option<Source>,
    pub origins: Vec<OriginUrl>,
    pub trusted_proxies: Vec<IpNet>,
    pub allow: Vec<IpNet>,
    pub block: Vec<IpNet>,
    pub mode: Mode,
    /// Rule files in order, folders and patterns already expanded. None: the rules that this machine has by default.
    pub rules: Option<Vec<PathBuf>>,
    /// What is not set here is as the rules say.
    pub levels: Levels,
    /// In place of SecResponseBodyAccess.
    pub response_bodies: Option<bool>,
    pub response_headers: Vec<(String, String)>,
    pub exclusions: Vec<Exclusion>,
    /// What it always gets, however much others ask for.
    pub contract: Contract,
}
