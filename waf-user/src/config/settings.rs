//! What concerns this machine: interface, user, directories, listeners.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use super::OriginHost;
use crate::model::{Carrier, NodeName};

/// How XDP attaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XdpMode {
    Native,
    Generic,
    /// Native first, then generic; what was obtained is reported.
    #[default]
    Auto,
}

/// What happens to fragments for service addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fragments {
    /// The stack puts them together; lists hold for them too.
    #[default]
    Pass,
    Drop,
}

/// The tables [node], [log] and [admin], paths resolved.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    pub name: NodeName,
    pub carrier: Carrier,
    pub user: String,
    /// None: no kernel half.
    pub interface: Option<String>,
    pub xdp_mode: XdpMode,
    pub kernel_object: PathBuf,
    pub service_prefixes: Vec<IpNet>,
    pub only_services: bool,
    pub cpumap: bool,
    pub fragments: Fragments,
    /// One dropped packet in this many is reported; 0 = none.
    pub event_sample: u32,
    /// None: as many as the affinity mask has CPUs.
    pub workers: Option<u16>,
    pub state_dir: PathBuf,
    pub log: LogSettings,
    pub admin: AdminSettings,
    /// None: a node that node.toml alone configures.
    pub control: Option<ControlSettings>,
}

/// The table [log].
#[derive(Clone, Debug, Default)]
pub struct LogSettings {
    pub requests: Option<PathBuf>,
    pub events: Option<PathBuf>,
}

/// The table [control]: where tenants come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSettings {
    pub host: OriginHost,
    pub port: u16,
    /// In place of the authority's certificate that joining left in state_dir.
    pub ca: Option<PathBuf>,
    /// Files of rules for its tenants, in the order of compilation. None: the machine's Core Rule Set.
    pub rules: Option<Vec<PathBuf>>,
    /// Each of its tenants has one worker, by its number, and no other: what one tenant's visitors cost, the other workers'
    /// tenants do not feel, and a tenant is no faster than one worker.
    pub own_worker: bool,
}

/// The table [admin].
#[derive(Clone, Debug, Default)]
pub struct AdminSettings {
    pub listen: Option<SocketAddr>,
}
