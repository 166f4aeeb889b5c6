//! Which bans want force.

use super::*;
use crate::model::{BanOrigin, BanScope};
use crate::node::tests::{net, parse, tenant};

#[test]
fn our_own_and_the_customers_machines_are_not_banned() {
    let text = format!(
        "[node]\nname = \"a\"\ncarrier = \"c\"\nservice_prefixes = [\"10.1.0.0/24\"]\n\
         [admin]\nlisten = \"10.8.0.1:9900\"\n[ban]\nnever = [\"203.0.113.0/24\", \"2001:db8:7::/48\"]\n{}",
        tenant(1, "10.7.0.1", "trusted_proxies = [\"100.64.0.0/16\", \"2001:db8:1::/48\"]"),
    );
    let (settings, config) = parse(&text);
    let protected = Protected::new(&settings, &config, &["10.6.0.1".parse().unwrap()]);
    let table = [
        ("a stranger", "192.0.2.1", None),
        ("a stranger's network", "192.0.2.0/25", None),
        ("/16 is narrow enough", "172.16.0.0/16", None),
        ("/15 is too wide", "172.16.0.0/15", Some("wider")),
        ("IPv6 /32 is narrow enough", "2001:db9::/32", None),
        ("IPv6 /31 is too wide", "2001:dba::/31", Some("wider")),
        ("an address in a service prefix", "10.1.0.77", Some("service prefix")),
        ("covering a service prefix", "10.1.0.0/16", Some("service prefix")),
        ("a service address", "10.7.0.1", Some("service address")),
        ("the admin address", "10.8.0.1", Some("admin")),
        ("an address of the machine", "10.6.0.1", Some("this machine")),
        ("an origin", "192.0.2.200", Some("origin")),
        ("beside an origin", "192.0.2.201", None),
        ("inside a trusted proxy's network", "100.64.3.4", Some("trusted proxy")),
        ("inside a network of never", "203.0.113.77", Some("never")),
        ("covering a network of never", "203.0.112.0/23", Some("never")),
        ("beside a network of never", "203.0.112.255", None),
        ("a /64 of never", "2001:db8:7:1::/64", Some("never")),
        ("a /64 in a trusted proxy's network", "2001:db8:1:2::/64", Some("trusted proxy")),
    ];
    for (name, prefix, expected) in table {
        let ban = Ban {
            scope: BanScope::Node,
            prefix: net(prefix),
            origin: BanOrigin::Operator,
            tenant: None,
            expires: None,
        };
        let said = protected.check(&ban).err().map(|error| error.to_string());
        match expected {
            None => assert_eq!(said, None, "{name}"),
            Some(words) => {
                assert!(said.as_ref().is_some_and(|said| said.contains(words)), "{name}: {said:?}")
            }
        }
    }
}
