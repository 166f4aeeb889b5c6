use super::*;

#[test]
fn names_are_canonical_or_refused() {
    let label63 = "a".repeat(63);
    let label64 = "a".repeat(64);
    let name253 = format!("{label63}.{label63}.{label63}.{}", "b".repeat(61));
    let name254 = format!("{label63}.{label63}.{label63}.{}", "b".repeat(62));
    let table: Vec<(&str, &str, Option<&str>)> = vec![
        ("plain", "www.example.test", Some("www.example.test")),
        ("upper case", "WWW.Example.TEST", Some("www.example.test")),
        ("final dot", "www.example.test.", Some("www.example.test")),
        ("A-label", "xn--r8jz45g.example", Some("xn--r8jz45g.example")),
        ("underscore", "_dmarc.example.test", Some("_dmarc.example.test")),
        ("one label", "localhost", Some("localhost")),
        ("label of 63", &label63, Some(&label63)),
        ("label of 64", &label64, None),
        ("name of 253", &name253, Some(&name253)),
        ("name of 254", &name254, None),
        ("empty", "", None),
        ("a dot", ".", None),
        ("two dots", "a..b", None),
        ("two final dots", "a..", None),
        ("leading hyphen", "-a.test", None),
        ("trailing hyphen", "a-.test", None),
        ("U-label", "例え.test", None),
        ("port", "a.test:80", None),
        ("space", "a .test", None),
        ("wildcard", "*.example.test", None),
        ("address", "192.0.2.1", None),
        ("digits last", "a.1", None),
    ];
    for (name, text, expected) in table {
        assert_eq!(Fqdn::new(text).ok().as_ref().map(Fqdn::as_str), expected, "{name}");
    }
}
