//! What keys must agree with one another, within a tenant, between tenants and with [node].

use std::collections::HashMap;
use std::collections::HashSet;
use std::net::IpAddr;

use waf_common::limits::WORKERS_MAX;

use super::mistake::Mistakes;
use super::read_node::NodePart;
use super::read_tenant::TenantFacts;

/// Notes every disagreement.
pub(super) fn check(node: &NodePart, tenants: &[TenantFacts], mistakes: &Mistakes<'_>) {
    names(tenants, mistakes);
    ports(tenants, mistakes);
    defaults(tenants, mistakes);
    for tenant in tenants {
        addresses(node, tenant, mistakes);
        workers(node, tenant, mistakes);
    }
    if node.has_control
        && let Some(id) = tenants.first().and_then(|tenant| tenant.id.as_ref())
    {
        let cure = "take out [control], or let control have this tenant";
        mistakes.add(id.span(), "a [[tenant]] beside [control], where tenants come from", cure);
    }
    let is_serving = !tenants.is_empty() || node.has_control;
    if node.has_interface && node.service_prefixes.is_empty() && is_serving {
        mistakes.add(
            node.prefixes_span.clone(),
            "`interface` is set, but no `service_prefixes`",
            "name the prefixes that the carrier routes to this node, or take `interface` out",
        );
    }
}

/// Ids and names are each one tenant's.
fn names(tenants: &[TenantFacts], mistakes: &Mistakes<'_>) {
    let mut ids = HashSet::new();
    let mut fqdns = HashSet::new();
    for tenant in tenants {
        if let Some(id) = &tenant.id
            && !ids.insert(*id.get_ref())
        {
            let message = format!("tenant id {} is taken by a tenant above", id.get_ref());
            mistakes.add(id.span(), message, "a number belongs to one environment for ever");
        }
        if let Some(fqdn) = &tenant.fqdn
            && !fqdns.insert(fqdn.get_ref())
        {
            let message = format!("{} is served by a tenant above", fqdn.get_ref());
            mistakes.add(fqdn.span(), message, "a name belongs to one tenant");
        }
    }
}

/// A port of an address speaks either HTTP or TLS.
fn ports(tenants: &[TenantFacts], mistakes: &Mistakes<'_>) {
    let mut spoken: HashMap<(IpAddr, u16), bool> = HashMap::new();
    for tenant in tenants {
        let https = tenant.https_port.as_ref();
        if let Some(https) = https.filter(|https| https.get_ref() == tenant.http_port.get_ref()) {
            let message = format!("`http_port` and `https_port` are both {}", https.get_ref());
            mistakes.add(https.span(), message, "give one of them another port");
            continue;
        }
        let both = [(Some(&tenant.http_port), false), (https, true)];
        for (port, tls) in both.into_iter().filter_map(|(port, tls)| port.map(|port| (port, tls))) {
            for address in &tenant.addresses {
                let key = (*address.get_ref(), *port.get_ref());
                if *spoken.entry(key).or_insert(tls) != tls {
                    let (here, there) = if tls { ("TLS", "HTTP") } else { ("HTTP", "TLS") };
                    let message =
                        format!("{} port {} is {here} here and {there} for a tenant above", key.0, key.1);
                    mistakes.add(port.span(), message, "give one of them another port or address");
                }
            }
        }
    }
}

/// At most one tenant of an address answers for names that nobody has.
fn defaults(tenants: &[TenantFacts], mistakes: &Mistakes<'_>) {
    let mut taken = HashSet::new();
    for tenant in tenants {
        let Some(span) = &tenant.default else { continue };
        let own: HashSet<IpAddr> = tenant.addresses.iter().map(|address| *address.get_ref()).collect();
        if let Some(address) = own.iter().find(|address| taken.contains(*address)) {
            let message = format!("{address} has a `default` tenant above already");
            mistakes.add(span.clone(), message, "let one tenant of an address be the default");
        }
        taken.extend(own);
    }
}

fn addresses(node: &NodePart, tenant: &TenantFacts, mistakes: &Mistakes<'_>) {
    let mut seen = HashSet::new();
    for address in &tenant.addresses {
        let ip = address.get_ref();
        if !seen.insert(*ip) {
            mistakes.add(address.span(), format!("{ip} is written twice"), "take one out");
        }
        let routed = node.service_prefixes.iter().any(|prefix| prefix.contains(ip));
        if node.has_interface && !node.service_prefixes.is_empty() && !routed {
            let list: Vec<String> = node.service_prefixes.iter().map(ToString::to_string).collect();
            let message = format!("{ip} lies outside service_prefixes ({})", list.join(", "));
            mistakes.add(address.span(), message, "add its prefix to `service_prefixes` of [node]");
        }
    }
}

/// Workers are numbered from 0.
fn workers(node: &NodePart, tenant: &TenantFacts, mistakes: &Mistakes<'_>) {
    let count = node.workers.map_or(WORKERS_MAX, usize::from) as u64;
    let mut seen = HashSet::new();
    for worker in &tenant.workers {
        let number = *worker.get_ref();
        if number >= count {
            let message = format!("there is no worker {number}");
            mistakes.add(worker.span(), message, format!("workers are numbered 0..{}", count - 1));
        } else if !seen.insert(number) {
            mistakes.add(worker.span(), format!("worker {number} is written twice"), "take one out");
        }
    }
}
