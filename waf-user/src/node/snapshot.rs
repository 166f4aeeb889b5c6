//! Configuration -> the snapshot that workers serve from: certificates loaded, rules compiled, sites built. Tenants with
//! the same rule files share one compiled set.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::rule_files::Disk;
use crate::config::{NodeConfig, NodeSettings, TenantConfig};
use crate::engine::{RuleErrors, RuleSet, Settings};
use crate::model::{Fqdn, Generation};
use crate::origin::Upstreams;
use crate::proxy::{Site, Sites, Snapshot};
use crate::tls::{Acceptor, Identity, TlsError};

/// Why a configuration cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("read {path} of {fqdn}")]
    Read { fqdn: Fqdn, path: PathBuf, source: io::Error },
    #[error("use certificate {certificate} with key {key} for {fqdn}")]
    Identity { fqdn: Fqdn, certificate: PathBuf, key: PathBuf, source: TlsError },
    #[error("make the TLS configuration")]
    Acceptor(#[source] TlsError),
    #[error("compile the rules of {fqdn}")]
    Rules { fqdn: Fqdn, source: RuleErrors },
}

/// A snapshot and what it took.
#[derive(Debug)]
pub struct Built {
    pub snapshot: Snapshot,
    /// Rules in all compiled sets together.
    pub rules: usize,
}

/// # Errors
/// The first file that is missing, unreadable or wrong.
pub fn build(
    settings: &NodeSettings,
    config: &NodeConfig,
    generation: Generation,
) -> Result<Built, SnapshotError> {
    let own = own_endpoints(settings, config);
    let mut rule_sets = RuleSets::default();
    let mut identities = Vec::new();
    let mut sites = Vec::new();
    for tenant in &config.tenants {
        identities.extend(identity(tenant)?.map(|identity| (tenant.fqdn.clone(), identity)));
        let rules = rule_sets.of(tenant)?;
        sites.push(Arc::new(site(tenant, config, rules, &own)));
    }
    let tls = if identities.is_empty() {
        None
    } else {
        Some(Acceptor::new(identities).map_err(SnapshotError::Acceptor)?)
    };
    let snapshot = Snapshot {
        generation,
        node: settings.name.clone(),
        carrier: settings.carrier.clone(),
        sites: Sites::new(sites),
        tls,
    };
    Ok(Built { snapshot, rules: rule_sets.rules() })
}

/// Where no origin may point: it would be a loop, or a way in. With the kernel half a service address is ours with all
/// its ports; without it the address is the machine's, and an origin may stand beside us on another port.
fn own_endpoints(settings: &NodeSettings, config: &NodeConfig) -> Vec<SocketAddr> {
    let mut own: Vec<SocketAddr> = settings.admin.listen.into_iter().collect();
    for tenant in &config.tenants {
        let ports = match settings.interface {
            Some(_) => vec![0],
            None => vec![tenant.http_port, tenant.https_port],
        };
        for address in &tenant.addresses {
            own.extend(ports.iter().map(|port| SocketAddr::new(*address, *port)));
        }
    }
    own.sort();
    own.dedup();
    own
}

fn identity(tenant: &TenantConfig) -> Result<Option<Identity>, SnapshotError> {
    let (Some(certificate), Some(key)) = (&tenant.certificate, &tenant.key) else { return Ok(None) };
    let read = |path: &Path| {
        let fqdn = tenant.fqdn.clone();
        std::fs::read(path).map_err(|source| SnapshotError::Read { fqdn, path: path.to_owned(), source })
    };
    let identity = Identity::from_pem(&read(certificate)?, &read(key)?);
    let wrong = |source| SnapshotError::Identity {
        fqdn: tenant.fqdn.clone(),
        certificate: certificate.clone(),
        key: key.clone(),
        source,
    };
    identity.map(Some).map_err(wrong)
}

fn site(tenant: &TenantConfig, config: &NodeConfig, rules: Arc<RuleSet>, own: &[SocketAddr]) -> Site {
    Site {
        tenant: tenant.id,
        fqdn: tenant.fqdn.clone(),
        default: tenant.default,
        addresses: tenant.addresses.clone(),
        http_port: tenant.http_port,
        https_port: tenant.certificate.is_some().then_some(tenant.https_port),
        mode: tenant.mode,
        rules,
        settings: Settings {
            paranoia_level: tenant.paranoia_level,
            inbound_threshold: tenant.inbound_threshold,
            outbound_threshold: tenant.outbound_threshold,
            response_bodies: tenant.response_bodies,
        },
        exclusions: tenant.exclusions.clone(),
        upstreams: upstreams(tenant, config, own),
        trusted_proxies: tenant.trusted_proxies.clone(),
        response_headers: tenant.response_headers.clone(),
    }
}

fn upstreams(tenant: &TenantConfig, config: &NodeConfig, own: &[SocketAddr]) -> Upstreams {
    Upstreams::new(tenant.origins.clone(), config.origin_networks.clone()).forbidding(own.to_vec())
}

/// Compiled sets by the files they came from.
#[derive(Default)]
struct RuleSets {
    compiled: HashMap<Vec<PathBuf>, Arc<RuleSet>>,
}

impl RuleSets {
    fn of(&mut self, tenant: &TenantConfig) -> Result<Arc<RuleSet>, SnapshotError> {
        if let Some(rules) = self.compiled.get(&tenant.rules) {
            return Ok(Arc::clone(rules));
        }
        let fqdn = || tenant.fqdn.clone();
        let mut files = Vec::new();
        for path in &tenant.rules {
            let file = Disk::read_file(path);
            files.push(file.map_err(|source| SnapshotError::Read {
                fqdn: fqdn(),
                path: path.clone(),
                source,
            })?);
        }
        let compiled = RuleSet::compile(&files, &Disk);
        let rules = Arc::new(compiled.map_err(|source| SnapshotError::Rules { fqdn: fqdn(), source })?);
        self.compiled.insert(tenant.rules.clone(), Arc::clone(&rules));
        Ok(rules)
    }

    fn rules(&self) -> usize {
        self.compiled.values().map(|rules| rules.len()).sum()
    }
}

#[cfg(test)]
mod tests;
