use super::*;

#[test]
fn origins_are_scheme_host_and_port() {
    let table = [
        ("http://10.9.0.2:8080", Some("http://10.9.0.2:8080")),
        ("http://10.9.0.2", Some("http://10.9.0.2:80")),
        ("https://origin.example", Some("https://origin.example:443")),
        ("https://Origin.Example/", Some("https://origin.example:443")),
        ("https://[2001:db8::1]", Some("https://[2001:db8::1]:443")),
        ("https://[2001:db8::1]:8443", Some("https://[2001:db8::1]:8443")),
        ("http://a.example:65535", Some("http://a.example:65535")),
        ("http://a.example:65536", None),
        ("http://a.example:0", None),
        ("http://a.example:", None),
        ("http://", None),
        ("a.example", None),
        ("ftp://a.example", None),
        ("http://a.example/x", None),
        ("http://a.example?x", None),
        ("http://u@a.example", None),
        ("http://[2001:db8::1", None),
        ("http://[a.example]", None),
    ];
    for (text, expected) in table {
        let shown = OriginUrl::parse(text).ok().map(|origin| origin.to_string());
        assert_eq!(shown.as_deref(), expected, "{text}");
    }
}
