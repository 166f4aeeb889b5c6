//! Which changes are refused, by the key that is named.

use super::*;
use crate::node::tests::{parse, tenant};

fn text(node: &str, more: &str) -> String {
    format!("[node]\nname = \"a\"\ncarrier = \"c\"\nuser = \"waf\"\n{node}\n{more}\n")
}

#[test]
fn what_is_bound_or_loaded_once_is_refused_by_name() {
    let old = parse(&text("", "")).0;
    let table = [
        ("nothing", text("", ""), None),
        ("lists and bans", text("allow = [\"192.0.2.1\"]", "[ban]\nrefused = 3"), None),
        ("origin networks", text("origin_networks = [\"10.0.0.0/8\"]", ""), None),
        ("workers", text("workers = 3", ""), Some("[node] workers")),
        ("state", text("state_dir = \"/else\"", ""), Some("[node] state_dir")),
        ("cpumap", text("cpumap = true", ""), Some("[node] cpumap")),
        ("admin", text("", "[admin]\nlisten = \"127.0.0.1:1\""), Some("[admin] listen")),
        ("log", text("", "[log]\nevents = \"e\""), Some("[log] events")),
        ("name", text("", "").replace("\"a\"", "\"b\""), Some("[node] name")),
        ("user", text("", "").replace("\"waf\"", "\"else\""), Some("[node] user")),
    ];
    for (name, text, expected) in table {
        let said = changed(&old, &parse(&text).0);
        match expected {
            None => assert_eq!(said, Vec::<String>::new(), "{name}"),
            Some(key) => assert!(said.len() == 1 && said[0].starts_with(key), "{name}: {said:?}"),
        }
    }
}

#[test]
fn other_sockets_are_named() {
    let plan = |tenants: &str| ServicePlan::new(&parse(&text("", tenants)).1, 2, &[]);
    let old = plan(&tenant(1, "10.0.0.1", ""));
    let shared = plan(&[tenant(1, "10.0.0.1", ""), tenant(2, "10.0.0.1", "")].concat());
    assert_eq!(changed_listeners(&old, &shared), None, "another tenant on the same sockets");
    let moved = changed_listeners(&old, &plan(&tenant(1, "10.0.0.2", ""))).unwrap();
    assert!(moved.contains("10.0.0.1:80, 10.0.0.2:80"), "{moved}");
    let fewer = changed_listeners(&old, &plan(&tenant(1, "10.0.0.1", "workers = [1]"))).unwrap();
    assert!(fewer.contains("10.0.0.1:80"), "{fewer}");
}
