//! What a worker serves from: immutable, built by the node, replaced whole.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use crate::config::Exclusion;
use crate::engine::{RuleSet, Settings};
use crate::model::{Carrier, Fqdn, Generation, Mode, NodeName, TenantId};
use crate::origin::Upstreams;
use crate::tls::Acceptor;

/// The whole state of one generation.
#[derive(Debug)]
pub struct Snapshot {
    pub generation: Generation,
    pub node: NodeName,
    pub carrier: Carrier,
    pub sites: Sites,
    /// None where no tenant has a certificate.
    pub tls: Option<Arc<Acceptor>>,
}

/// One tenant's site.
#[derive(Debug)]
pub struct Site {
    pub tenant: TenantId,
    pub fqdn: Fqdn,
    /// Also answers, on its own addresses, for a Host that no tenant has.
    pub default: bool,
    pub addresses: Vec<IpAddr>,
    pub http_port: u16,
    /// None: no TLS.
    pub https_port: Option<u16>,
    pub mode: Mode,
    pub rules: Arc<RuleSet>,
    pub settings: Settings,
    pub exclusions: Vec<Exclusion>,
    pub upstreams: Upstreams,
    pub trusted_proxies: Vec<IpNet>,
    /// Added to every answer.
    pub response_headers: Vec<(String, String)>,
}

/// Why no site answers here for this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misdirected {
    /// No site has this destination address.
    Address,
    /// The address's sites have neither this name nor a default.
    Host,
    /// SNI and Host differ.
    Sni,
}

/// All sites, found by destination address and name.
#[derive(Debug, Default)]
pub struct Sites {
    all: Vec<Arc<Site>>,
}

impl Sites {
    pub fn new(all: Vec<Arc<Site>>) -> Self {
        Self { all }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.all.iter()
    }

    /// Hot: per request. `host` without port, lower case. `sni` is the name of the TLS connection, if it is one.
    ///
    /// # Errors
    /// SNI, Host and address must agree; see [`Misdirected`].
    pub fn select(
        &self,
        _destination: SocketAddr,
        _host: &str,
        _sni: Option<&str>,
    ) -> Result<&Arc<Site>, Misdirected> {
        Err(Misdirected::Address)
    }
}
