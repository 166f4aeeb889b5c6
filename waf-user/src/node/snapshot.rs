//! Configuration -> the snapshot that workers serve from: certificates loaded, rules compiled, sites built. Tenants with
//! the same rule files share one compiled set.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::rule_sets::{Gathering, RuleSetError, RuleSets};
use super::shares::Allowances;
use super::shelf::{Shelf, ShelfError};
use crate::config::{NodeConfig, NodeSettings, Source, TenantConfig};
use crate::engine::{Collections, MemoryCollections, RuleErrors, RuleSet, Settings};
use crate::model::{Fqdn, Generation, Mode};
use crate::origin::Upstreams;
use crate::proxy::{Exclusions, Site, Sites, Snapshot};
use crate::tls::{Acceptor, Identity, Shown, TlsError};

/// Why a configuration cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("read {path} of {fqdn}")]
    Read { fqdn: Fqdn, path: PathBuf, source: io::Error },
    #[error("use certificate {certificate} with key {key} for {fqdn}")]
    Identity { fqdn: Fqdn, certificate: Source, key: Source, source: Box<TlsError> },
    #[error("take certificate {fingerprint} of {fqdn} from what control sent")]
    Shelf { fqdn: Fqdn, fingerprint: String, source: Box<ShelfError> },
    #[error("certificate {fingerprint} of {fqdn} comes from control, but node.toml has no [control]")]
    NoShelf { fqdn: Fqdn, fingerprint: String },
    #[error("make the TLS configuration")]
    Acceptor(#[source] Box<TlsError>),
    #[error("compile the rules of {fqdn}")]
    Rules { fqdn: Fqdn, source: RuleErrors },
}

/// Said where [`Built::fell_back`].
pub const FELL_BACK: &str = "the package modsecurity-crs is not installed: tenants without `rules` have the few starter \
                             rules only";

/// A snapshot and what it took.
#[derive(Debug)]
pub struct Built {
    pub snapshot: Snapshot,
    /// Rules in all compiled sets together.
    pub rules: usize,
    /// A tenant without `rules` got the starter rules: there is no Core Rule Set on this machine.
    pub fell_back: bool,
}

impl Built {
    /// Tells the log what an operator should know of a configuration that is served all the same.
    pub fn tell(&self) {
        if self.fell_back {
            tracing::warn!("{FELL_BACK}");
        }
    }
}

/// What goes over from one snapshot to the next.
#[derive(Clone, Debug)]
pub struct Lasting {
    rule_sets: Arc<RuleSets>,
    collections: Arc<dyn Collections>,
    /// Certificates that control sent.
    shelf: Option<Arc<Shelf>>,
    allowances: Arc<Allowances>,
}

impl Lasting {
    pub fn allowances(&self) -> &Allowances {
        &self.allowances
    }

    /// With certificates from this shelf.
    pub fn with_shelf(shelf: Arc<Shelf>) -> Self {
        Self { shelf: Some(shelf), ..Self::default() }
    }

    /// Of certificates that control sent.
    pub fn shelf(&self) -> Option<Arc<Shelf>> {
        self.shelf.clone()
    }
}

impl Default for Lasting {
    fn default() -> Self {
        Self {
            rule_sets: Arc::default(),
            collections: Arc::new(MemoryCollections::default()),
            shelf: None,
            allowances: Arc::default(),
        }
    }
}

/// # Errors
/// The first file that is missing, unreadable or wrong.
pub fn build(
    settings: &NodeSettings,
    config: &NodeConfig,
    generation: Generation,
    lasting: &Lasting,
) -> Result<Built, SnapshotError> {
    let own = own_endpoints(settings, config);
    let mut rule_sets = lasting.rule_sets.gather();
    let mut shown = Vec::new();
    let mut sites = Vec::new();
    for tenant in &config.tenants {
        shown.extend(identity(tenant, lasting.shelf.as_deref())?.map(|identity| Shown {
            fqdn: tenant.fqdn.clone(),
            addresses: tenant.addresses.clone(),
            identity,
        }));
        let rules = rules_of(tenant, &mut rule_sets)?;
        let upstreams = upstreams(tenant, config, &own);
        sites.push(Arc::new(site(tenant, rules, upstreams, lasting)));
    }
    let tls = if shown.is_empty() {
        None
    } else {
        Some(Acceptor::new(shown).map_err(|error| SnapshotError::Acceptor(Box::new(error)))?)
    };
    let snapshot = Snapshot {
        generation,
        node: settings.name.clone(),
        carrier: settings.carrier.clone(),
        sites: Sites::new(sites),
        tls,
    };
    let built = Built { snapshot, rules: rule_sets.rules(), fell_back: rule_sets.fell_back() };
    rule_sets.keep();
    Ok(built)
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

fn identity(tenant: &TenantConfig, shelf: Option<&Shelf>) -> Result<Option<Identity>, SnapshotError> {
    let (Some(certificate), Some(key)) = (&tenant.certificate, &tenant.key) else { return Ok(None) };
    let fqdn = || tenant.fqdn.clone();
    let identity = match (certificate, key) {
        (Source::File(chain), Source::File(key)) => {
            let read = |path: &PathBuf| {
                std::fs::read(path).map_err(|source| SnapshotError::Read {
                    fqdn: fqdn(),
                    path: path.clone(),
                    source,
                })
            };
            Identity::from_pem(&read(chain)?, &read(key)?)
        }
        (Source::Hash(fingerprint), _) | (_, Source::Hash(fingerprint)) => {
            let fingerprint = fingerprint.clone();
            let Some(shelf) = shelf else { return Err(SnapshotError::NoShelf { fqdn: fqdn(), fingerprint }) };
            return shelf.identity(&fingerprint).map(Some).map_err(|source| SnapshotError::Shelf {
                fqdn: fqdn(),
                fingerprint,
                source: Box::new(source),
            });
        }
    };
    let wrong = |error| SnapshotError::Identity {
        fqdn: fqdn(),
        certificate: certificate.clone(),
        key: key.clone(),
        source: Box::new(error),
    };
    identity.map(Some).map_err(wrong)
}

/// A tenant whose rules are off and not even named needs none.
fn rules_of(tenant: &TenantConfig, rule_sets: &mut Gathering<'_>) -> Result<Arc<RuleSet>, SnapshotError> {
    if tenant.mode == Mode::Off && tenant.rules.is_none() {
        return Ok(Arc::default());
    }
    let fqdn = || tenant.fqdn.clone();
    rule_sets.of(tenant.rules.as_deref()).map_err(|error| match error {
        RuleSetError::Read { path, source } => SnapshotError::Read { fqdn: fqdn(), path, source },
        RuleSetError::Compile(source) => SnapshotError::Rules { fqdn: fqdn(), source },
    })
}

fn site(tenant: &TenantConfig, rules: Arc<RuleSet>, upstreams: Upstreams, lasting: &Lasting) -> Site {
    Site {
        tenant: tenant.id,
        fqdn: tenant.fqdn.clone(),
        default: tenant.default,
        addresses: tenant.addresses.clone(),
        http_port: tenant.http_port,
        https_port: tenant.certificate.is_some().then_some(tenant.https_port),
        mode: tenant.mode,
        rules,
        settings: Settings::new(tenant.levels, tenant.response_bodies),
        exclusions: Exclusions::new(&tenant.exclusions),
        collections: Arc::clone(&lasting.collections),
        records_of: tenant.id.to_string().into(),
        upstreams,
        trusted_proxies: tenant.trusted_proxies.clone(),
        response_headers: tenant.response_headers.clone(),
        allowance: lasting.allowances.of(tenant.id),
    }
}

fn upstreams(tenant: &TenantConfig, config: &NodeConfig, own: &[SocketAddr]) -> Upstreams {
    Upstreams::new(tenant.origins.clone(), config.origin_networks.clone()).forbidding(own.to_vec())
}

#[cfg(test)]
mod tests;
