//! What control says a node serves + what node.toml says of this machine -> a [`NodeConfig`]. Every word of the document is
//! checked as if a stranger had sent it: a document that cannot be served is refused whole.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::prefix::parse_service_address;
use super::{NodeConfig, NodeSettings, OriginUrl, OriginUrlError, Source, TenantConfig};
use crate::engine::Levels;
use crate::model::sync::{NodeDocument, TenantDocument};
use crate::model::{Fqdn, FqdnError, IdentityError, Mode, TenantId};

/// Why a document is not served.
#[derive(Debug, thiserror::Error)]
pub enum ShippedError {
    #[error("the document is for node {0:?}, not for this one")]
    Node(String),
    #[error(transparent)]
    Tenant(#[from] IdentityError),
    #[error("name of tenant {tenant}")]
    Fqdn { tenant: u32, source: FqdnError },
    #[error("{0} is in the document twice")]
    Twice(String),
    #[error("address {address} of {fqdn}: {why}")]
    Address { fqdn: Fqdn, address: IpAddr, why: String },
    #[error("{fqdn} has no {what}")]
    None { fqdn: Fqdn, what: &'static str },
    #[error("port {port} of {fqdn}: 0, or the same for HTTP and TLS")]
    Port { fqdn: Fqdn, port: u16 },
    #[error("{address} port {port} would speak both HTTP and TLS")]
    Spoken { address: IpAddr, port: u16 },
    #[error("origin {text:?} of {fqdn}")]
    Origin { fqdn: Fqdn, text: String, source: OriginUrlError },
    #[error("certificate {text:?} of {fqdn} is no fingerprint")]
    Fingerprint { fqdn: Fqdn, text: String },
    #[error("mode {text:?} of {fqdn} (does control run another version of waf?)")]
    Mode { fqdn: Fqdn, text: String },
    #[error("paranoia level {level} of {fqdn} is outside 1..4")]
    Paranoia { fqdn: Fqdn, level: u8 },
}

const PARANOIA_MAX: u8 = 4;

/// `local`: lists and ban policy of node.toml, which hold whatever control says.
///
/// # Errors
/// See [`ShippedError`].
pub fn configure(
    settings: &NodeSettings,
    local: &NodeConfig,
    document: &NodeDocument,
) -> Result<NodeConfig, ShippedError> {
    if document.node != settings.name.as_str() {
        return Err(ShippedError::Node(document.node.clone()));
    }
    let tenants =
        document.tenants.iter().map(|it| tenant(settings, it)).collect::<Result<Vec<_>, ShippedError>>()?;
    agree(&tenants)?;
    Ok(NodeConfig { tenants, capacity: document.capacity, ..local.clone() })
}

/// Whether a text is the fingerprint of a certificate: it becomes the name of a file.
pub fn is_fingerprint(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn tenant(settings: &NodeSettings, it: &TenantDocument) -> Result<TenantConfig, ShippedError> {
    let id = TenantId::new(u64::from(it.tenant))?;
    let fqdn = Fqdn::new(&it.fqdn).map_err(|source| ShippedError::Fqdn { tenant: it.tenant, source })?;
    let none = |what| ShippedError::None { fqdn: fqdn.clone(), what };
    if it.addresses.is_empty() {
        return Err(none("address"));
    }
    if it.origins.is_empty() {
        return Err(none("origin"));
    }
    for address in &it.addresses {
        check_address(settings, &fqdn, *address)?;
    }
    let same = it.certificate.is_some() && it.http_port == it.https_port;
    if let Some(port) = [it.http_port, it.https_port].into_iter().find(|port| *port == 0 || same) {
        return Err(ShippedError::Port { fqdn, port });
    }
    let origin = |text: &String| {
        let wrong = |source| ShippedError::Origin { fqdn: fqdn.clone(), text: text.clone(), source };
        OriginUrl::parse(text).map_err(wrong)
    };
    let origins = it.origins.iter().map(origin).collect::<Result<Vec<_>, _>>()?;
    if let Some(text) = it.certificate.as_ref().filter(|text| !is_fingerprint(text)) {
        return Err(ShippedError::Fingerprint { fqdn, text: text.clone() });
    }
    let mode = match it.mode.as_str() {
        "block" => Mode::Block,
        "detect" => Mode::Detect,
        "off" => Mode::Off,
        text => return Err(ShippedError::Mode { fqdn, text: text.to_owned() }),
    };
    if let Some(level) = it.paranoia.filter(|level| !(1..=PARANOIA_MAX).contains(level)) {
        return Err(ShippedError::Paranoia { fqdn, level });
    }
    Ok(TenantConfig {
        id,
        fqdn,
        default: false,
        addresses: it.addresses.clone(),
        http_port: it.http_port,
        https_port: it.https_port,
        workers: own_worker(settings, id).into_iter().collect(),
        certificate: it.certificate.clone().map(Source::Hash),
        key: it.certificate.clone().map(Source::Hash),
        origins,
        trusted_proxies: Vec::new(),
        allow: Vec::new(),
        block: Vec::new(),
        mode,
        rules: settings.control.as_ref().and_then(|control| control.rules.clone()),
        levels: Levels { paranoia_level: it.paranoia, inbound_threshold: None, outbound_threshold: None },
        response_bodies: None,
        response_headers: Vec::new(),
        exclusions: Vec::new(),
        contract: it.contract,
    })
}

/// The worker that a tenant has for itself, where it has one.
fn own_worker(settings: &NodeSettings, id: TenantId) -> Option<u16> {
    let workers = settings.workers.filter(|_| settings.control.as_ref().is_some_and(|it| it.own_worker))?;
    u16::try_from(id.number() % u32::from(workers.max(1))).ok()
}

fn check_address(settings: &NodeSettings, fqdn: &Fqdn, address: IpAddr) -> Result<(), ShippedError> {
    let wrong = |why: String| ShippedError::Address { fqdn: fqdn.clone(), address, why };
    parse_service_address(&address.to_string()).map_err(|why| wrong(why.to_string()))?;
    let is_routed = settings.service_prefixes.iter().any(|prefix| prefix.contains(&address));
    if settings.interface.is_some() && !is_routed {
        return Err(wrong("it lies outside `service_prefixes` of this node".to_owned()));
    }
    Ok(())
}

/// Numbers are each one tenant's, so is a name at an address (while a site moves, two environments have its name), and a
/// port of an address speaks either HTTP or TLS.
fn agree(tenants: &[TenantConfig]) -> Result<(), ShippedError> {
    let (mut ids, mut names) = (HashSet::new(), HashSet::new());
    let mut spoken: HashMap<(IpAddr, u16), bool> = HashMap::new();
    for tenant in tenants {
        if !ids.insert(tenant.id) {
            return Err(ShippedError::Twice(format!("tenant {}", tenant.id)));
        }
        for address in &tenant.addresses {
            if !names.insert((&tenant.fqdn, *address)) {
                return Err(ShippedError::Twice(format!("{} at {address}", tenant.fqdn)));
            }
        }
        let tls = tenant.certificate.is_some().then_some((tenant.https_port, true));
        for (port, is_tls) in [(tenant.http_port, false)].into_iter().chain(tls) {
            for address in &tenant.addresses {
                if *spoken.entry((*address, port)).or_insert(is_tls) != is_tls {
                    return Err(ShippedError::Spoken { address: *address, port });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
