//! What a worker serves from: immutable, built by the node, replaced whole.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::{Allowance, Exclusions};
use crate::engine::{Collections, RuleSet, Settings};
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
    pub exclusions: Exclusions,
    /// Persistent records of rules, and the name under which this tenant's are kept.
    pub collections: Arc<dyn Collections>,
    pub records_of: Arc<str>,
    pub upstreams: Upstreams,
    pub trusted_proxies: Vec<IpNet>,
    /// Added to every answer.
    pub response_headers: Vec<(String, String)>,
    /// Over reloads the same.
    pub allowance: Arc<Allowance>,
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
    services: HashMap<SocketAddr, Service>,
    /// Every site's name: a default site answers for none of them.
    names: HashSet<Fqdn>,
}

/// What one address and port serve.
#[derive(Debug, Default)]
struct Service {
    tls: bool,
    by_name: HashMap<Fqdn, Arc<Site>>,
    default: Option<Arc<Site>>,
}

impl Sites {
    pub fn new(all: Vec<Arc<Site>>) -> Self {
        let mut services: HashMap<SocketAddr, Service> = HashMap::new();
        for site in &all {
            let ports = [(Some(site.http_port), false), (site.https_port, true)];
            for (port, tls) in ports.into_iter().filter_map(|(port, tls)| Some((port?, tls))) {
                for address in &site.addresses {
                    let service = services.entry(SocketAddr::new(address.to_canonical(), port)).or_default();
                    service.tls |= tls;
                    service.by_name.insert(site.fqdn.clone(), Arc::clone(site));
                    if site.default {
                        service.default = Some(Arc::clone(site));
                    }
                }
            }
        }
        let names = all.iter().map(|site| site.fqdn.clone()).collect();
        Self { all, services, names }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.all.iter()
    }

    /// Hot: per connection. Whether TLS is spoken on a destination.
    pub fn is_tls(&self, destination: SocketAddr) -> bool {
        self.service(destination).is_some_and(|service| service.tls)
    }

    /// Hot: per connection. The tenant of a destination that has only one.
    pub fn sole_tenant(&self, destination: SocketAddr) -> Option<TenantId> {
        let mut sites = self.service(destination)?.by_name.values();
        match (sites.next(), sites.next()) {
            (Some(site), None) => Some(site.tenant),
            _ => None,
        }
    }

    /// Hot: per TLS connection. The site whose certificate a client may be shown on this destination.
    ///
    /// # Errors
    /// Name and address must agree; a default site has no other name's certificate.
    pub fn select_sni(&self, destination: SocketAddr, sni: &str) -> Result<&Arc<Site>, Misdirected> {
        let service = self.service(destination).ok_or(Misdirected::Address)?;
        service
            .by_name
            .get(sni)
            .filter(|site| site.https_port == Some(destination.port()))
            .ok_or(Misdirected::Sni)
    }

    /// Hot: per request. `host` without port, lower case. `sni` is the name of the TLS connection, if it is one.
    ///
    /// # Errors
    /// SNI, Host and address must agree; see [`Misdirected`].
    pub fn select(
        &self,
        destination: SocketAddr,
        host: &str,
        sni: Option<&str>,
    ) -> Result<&Arc<Site>, Misdirected> {
        let service = self.service(destination).ok_or(Misdirected::Address)?;
        if sni.is_some_and(|sni| sni != host) {
            return Err(Misdirected::Sni);
        }
        match (service.by_name.get(host), &service.default) {
            (Some(site), _) => Ok(site),
            (None, Some(default)) if !self.names.contains(host) => Ok(default),
            _ => Err(Misdirected::Host),
        }
    }

    fn service(&self, destination: SocketAddr) -> Option<&Service> {
        self.services.get(&SocketAddr::new(destination.ip().to_canonical(), destination.port()))
    }
}

#[cfg(test)]
mod tests;
