use super::*;

#[test]
fn scopes_are_read_and_written_alike() {
    let table = [
        ("node", Some("node")),
        ("address:192.0.2.10", Some("address:192.0.2.10")),
        ("address:2001:db8::1", Some("address:2001:db8::1")),
        ("address:::ffff:192.0.2.10", Some("address:192.0.2.10")),
        ("tenant:1", Some("tenant:1")),
        ("tenant:2147483647", Some("tenant:2147483647")),
        ("tenant:2147483648", None),
        ("tenant:0", None),
        ("tenant:", None),
        ("tenant", None),
        ("address:192.0.2.0/24", None),
        ("fleet", None),
        ("node:", None),
        ("", None),
    ];
    for (text, expected) in table {
        let scope = text.parse::<BanScope>().ok().map(|scope| scope.to_string());
        assert_eq!(scope.as_deref(), expected, "{text:?}");
    }
}

#[test]
fn a_source_is_an_ipv4_address_or_an_ipv6_64() {
    let table = [
        ("192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
    ];
    for (source, expected) in table {
        assert_eq!(source_prefix(source.parse().unwrap()).to_string(), expected, "{source}");
    }
}
