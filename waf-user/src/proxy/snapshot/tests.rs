//! Destination, Host and SNI -> the site that answers, or why none does.

use super::*;
use crate::engine::MemoryCollections;

/// Tenant, name, default, addresses, http port, https port.
type Row = (u64, &'static str, bool, &'static [&'static str], u16, Option<u16>);

const SITES: &[Row] = &[
    (1, "a.test", false, &["10.1.0.1", "2001:db8::1"], 80, Some(443)),
    (2, "b.test", true, &["10.1.0.2"], 80, Some(443)),
    (3, "c.test", false, &["10.1.0.2"], 80, None),
    (4, "d.test", false, &["10.1.0.2"], 8080, Some(443)),
];

fn sites() -> Sites {
    let all = SITES.iter().map(|(tenant, fqdn, default, addresses, http_port, https_port)| Site {
        tenant: TenantId::new(*tenant).expect("a tenant"),
        fqdn: Fqdn::new(fqdn).expect("a name"),
        default: *default,
        addresses: addresses.iter().map(|address| address.parse().expect("an address")).collect(),
        http_port: *http_port,
        https_port: *https_port,
        mode: Mode::Block,
        rules: Arc::default(),
        settings: Settings::default(),
        exclusions: Exclusions::default(),
        collections: Arc::new(MemoryCollections::default()),
        records_of: "1".into(),
        upstreams: Upstreams::new(Vec::new(), Vec::new()),
        trusted_proxies: Vec::new(),
        response_headers: Vec::new(),
        allowance: Arc::default(),
    });
    Sites::new(all.map(Arc::new).collect())
}

#[test]
fn address_sni_and_host_select_one_site() {
    use Misdirected::{Address, Host, Sni};
    let rows = [
        ("by name", "10.1.0.1:80", "a.test", None, Ok(1)),
        ("IPv6", "[2001:db8::1]:80", "a.test", None, Ok(1)),
        ("mapped destination", "[::ffff:10.1.0.1]:80", "a.test", None, Ok(1)),
        ("other tenant's address", "10.1.0.2:80", "a.test", None, Err(Host)),
        ("no such address", "10.1.0.9:80", "a.test", None, Err(Address)),
        ("no such port", "10.1.0.1:81", "a.test", None, Err(Address)),
        ("shared address, first", "10.1.0.2:80", "b.test", None, Ok(2)),
        ("shared address, second", "10.1.0.2:80", "c.test", None, Ok(3)),
        ("other port of the address", "10.1.0.2:80", "d.test", None, Err(Host)),
        ("its own port", "10.1.0.2:8080", "d.test", None, Ok(4)),
        ("default for nobody's name", "10.1.0.2:80", "x.test", None, Ok(2)),
        ("default for no name", "10.1.0.2:80", "", None, Ok(2)),
        ("no default here", "10.1.0.1:80", "x.test", None, Err(Host)),
        ("SNI agrees", "10.1.0.1:443", "a.test", Some("a.test"), Ok(1)),
        ("SNI differs", "10.1.0.2:443", "d.test", Some("b.test"), Err(Sni)),
        ("SNI and no Host", "10.1.0.2:443", "", Some("b.test"), Err(Sni)),
    ];
    let sites = sites();
    for (name, destination, host, sni, expected) in rows {
        let destination = destination.parse().expect("an address and port");
        let found = sites.select(destination, host, sni).map(|site| site.tenant.number());
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn sni_selects_only_served_names() {
    let rows = [
        ("10.1.0.1:443", "a.test", Some(1)),
        ("10.1.0.2:443", "b.test", Some(2)),
        ("10.1.0.2:443", "c.test", None),
        ("10.1.0.2:443", "d.test", Some(4)),
        ("10.1.0.2:443", "a.test", None),
        ("10.1.0.2:443", "", None),
        ("10.1.0.2:80", "b.test", None),
        ("10.1.0.9:443", "a.test", None),
    ];
    let sites = sites();
    for (destination, sni, expected) in rows {
        let destination = destination.parse().expect("an address and port");
        let found = sites.select_sni(destination, sni).ok().map(|site| site.tenant.number());
        assert_eq!(found, expected, "{destination} {sni}");
    }
}

#[test]
fn services_know_tls_and_a_sole_tenant() {
    let rows = [
        ("10.1.0.1:80", false, Some(1)),
        ("10.1.0.1:443", true, Some(1)),
        ("10.1.0.2:80", false, None),
        ("10.1.0.2:8080", false, Some(4)),
        ("10.1.0.2:443", true, None),
        ("10.1.0.9:80", false, None),
    ];
    let sites = sites();
    for (destination, tls, tenant) in rows {
        let destination = destination.parse().expect("an address and port");
        assert_eq!(sites.is_tls(destination), tls, "{destination}");
        assert_eq!(sites.sole_tenant(destination).map(TenantId::number), tenant, "{destination}");
    }
}
