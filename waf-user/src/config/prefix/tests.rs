use super::*;

#[test]
fn prefixes_are_exact() {
    let table = [
        ("192.0.2.0/24", Some("192.0.2.0/24")),
        ("192.0.2.1", Some("192.0.2.1/32")),
        ("0.0.0.0/0", Some("0.0.0.0/0")),
        ("2001:db8::/32", Some("2001:db8::/32")),
        ("2001:db8::1", Some("2001:db8::1/128")),
        ("192.0.2.1/24", None),
        ("192.0.2.0/33", None),
        ("2001:db8::1/32", None),
        ("2001:db8::/129", None),
        ("::ffff:192.0.2.1", None),
        ("::ffff:0:0/96", None),
        ("192.0.2.0/", None),
        (" 192.0.2.1", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(parse_prefix(text).ok().map(|net| net.to_string()).as_deref(), expected, "{text:?}");
    }
}
