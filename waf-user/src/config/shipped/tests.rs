//! A document becomes what node.toml would say of the same tenants, or is refused with the word that is wrong.

use std::path::Path;

use super::*;
use crate::config::parse;
use crate::model::sync::Contract;

fn local(more: &str) -> (NodeSettings, NodeConfig) {
    let text = format!(
        "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\nblock = [\"198.51.100.0/24\"]\n{more}\n\
         [control]\nurl = \"https://control.example.net:8444\"\nca = \"ca.pem\"\n"
    );
    parse(Path::new("/etc/waf/node.toml"), &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn tenant(number: u32) -> TenantDocument {
    TenantDocument {
        tenant: number,
        fqdn: format!("t{number}.example.test"),
        addresses: vec!["10.1.0.10".parse().unwrap()],
        http_port: 80,
        https_port: 443,
        certificate: Some("ab".repeat(32)),
        origins: vec!["http://192.0.2.20:8080".to_owned()],
        mode: "detect".to_owned(),
        paranoia: Some(2),
        contract: Contract::default(),
    }
}

#[test]
fn a_document_is_served_beside_the_local_lists() {
    let (settings, local) = local("");
    let control = settings.control.clone().unwrap();
    assert_eq!((control.port, control.ca), (8444, Some("/etc/waf/ca.pem".into())));
    let document =
        NodeDocument { node: "a1".to_owned(), tenants: vec![tenant(1), tenant(2)], ..Default::default() };
    let config = configure(&settings, &local, &document).unwrap();
    assert_eq!((config.tenants.len(), config.block.len()), (2, 1));
    let first = &config.tenants[0];
    assert_eq!(first.certificate, Some(Source::Hash("ab".repeat(32))));
    assert_eq!((first.mode, first.levels.paranoia_level), (Mode::Detect, Some(2)));
}

#[test]
fn contract_while_a_site_moves_a_node_may_have_both_environments() {
    let (settings, local) = local("");
    let (old, mut new) = (tenant(1), tenant(2));
    new.fqdn.clone_from(&old.fqdn);
    new.addresses = vec!["10.1.0.11".parse().unwrap()];
    let document = NodeDocument { node: "a1".to_owned(), tenants: vec![old, new], ..Default::default() };
    let config = configure(&settings, &local, &document).unwrap();
    assert_eq!(config.tenants[0].fqdn, config.tenants[1].fqdn);
}

#[test]
fn what_cannot_be_served_is_refused_whole() {
    type Spoil = fn(&mut NodeDocument);
    let rows: [(&str, Spoil, &str); 14] = [
        ("another's", |it| it.node = "a2".to_owned(), "not for this one"),
        ("number", |it| it.tenants[1].tenant = 0, "tenant id 0"),
        ("name", |it| it.tenants[1].fqdn = "..".to_owned(), "name of tenant 2"),
        ("number twice", |it| it.tenants[1].tenant = 1, "tenant 1 is in the document twice"),
        ("name twice", |it| it.tenants[1].fqdn = "t1.example.test".to_owned(), "twice"),
        ("no address", |it| it.tenants[1].addresses.clear(), "has no address"),
        ("foreign address", |it| it.tenants[1].addresses = vec!["10.2.0.1".parse().unwrap()], "outside"),
        ("no unicast", |it| it.tenants[1].addresses = vec!["224.0.0.1".parse().unwrap()], "224.0.0.1"),
        ("no origin", |it| it.tenants[1].origins.clear(), "has no origin"),
        ("origin", |it| it.tenants[1].origins[0].push_str("/path"), "origin"),
        ("ports", |it| it.tenants[1].https_port = 80, "port 80"),
        ("both", |it| it.tenants[1].http_port = 443, "port 443"),
        ("path", |it| it.tenants[1].certificate = Some("../../etc/shadow".to_owned()), "no fingerprint"),
        ("mode", |it| it.tenants[1].mode = "maybe".to_owned(), "mode \"maybe\""),
    ];
    let (settings, local) = local("interface = \"eth9\"\nservice_prefixes = [\"10.1.0.0/16\"]");
    for (name, spoil, expected) in rows {
        let mut document =
            NodeDocument { node: "a1".to_owned(), tenants: vec![tenant(1), tenant(2)], ..Default::default() };
        configure(&settings, &local, &document).expect("as it was");
        spoil(&mut document);
        let error = configure(&settings, &local, &document).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn this_machine_says_which_rules_and_how_many_workers_a_tenant_has() {
    let (settings, local) = local("workers = 2");
    let document =
        NodeDocument { node: "a1".to_owned(), tenants: vec![tenant(4), tenant(5)], ..Default::default() };
    let of = |rules, own_worker| {
        let control =
            settings.control.clone().map(|it| crate::config::ControlSettings { rules, own_worker, ..it });
        let settings = NodeSettings { control, ..settings.clone() };
        let tenants = configure(&settings, &local, &document).unwrap().tenants;
        tenants.into_iter().map(|it| (it.rules, it.workers)).collect::<Vec<_>>()
    };
    assert_eq!(of(None, false), [(None, vec![]), (None, vec![])]);
    let rules = Some(vec!["/etc/waf/own.conf".into()]);
    assert_eq!(of(rules.clone(), true), [(rules.clone(), vec![0]), (rules, vec![1])]);
}

#[test]
fn workers_of_ones_own_want_a_number_of_workers() {
    let text = "[node]\nname = \"a1\"\ncarrier = \"carrier-a\"\n\
                [control]\nurl = \"https://control.example.net:8444\"\nown_worker = true\n";
    let errors = parse(Path::new("/etc/waf/node.toml"), text).unwrap_err().to_string();
    assert!(errors.contains("`own_worker` of [control] without `workers`"), "{errors}");
}
