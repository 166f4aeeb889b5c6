//! Service prefixes against addresses of the machine.

use super::*;

#[test]
fn a_prefix_may_not_hold_an_own_address() {
    let own = [("eth0".to_owned(), "10.0.0.5".parse().unwrap()), ("lo".to_owned(), "::1".parse().unwrap())];
    let table: [(&str, &str, Option<&str>); 5] = [
        ("apart", "10.1.0.0/24", None),
        ("just below", "10.0.0.4/32", None),
        ("the address itself", "10.0.0.5/32", Some("10.0.0.5")),
        ("a wide prefix", "10.0.0.0/8", Some("10.0.0.5")),
        ("IPv6", "::/64", Some("::1")),
    ];
    for (name, prefix, expected) in table {
        let found = check_prefixes(&[prefix.parse().unwrap()], &own).err().map(|error| match error {
            InterfaceError::OwnAddress { address, .. } => address.to_string(),
            other => panic!("{name}: {other}"),
        });
        assert_eq!(found.as_deref(), expected, "{name}");
    }
}
