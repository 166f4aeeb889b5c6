//! What is an injection and what is none, and the differences that were closed.

use super::{fingerprint, is_xss};

#[test]
fn sql() {
    let rows: &[(&str, Option<&str>)] = &[
        ("1' or '1'='1", Some("s&sos")),
        ("1 union select 1,2--", Some("1UE1c")),
        ("1 into outfile '/tmp/x'", Some("1ks")),
        ("' INTO/**/ DumpFile 'x", Some("sks")),
        ("put it into outfiles", None),
        ("hello world", None),
        ("O'Brien", None),
        ("", None),
    ];
    for (value, expected) in rows {
        let found = fingerprint(value.as_bytes());
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{value}");
    }
}

#[test]
fn script() {
    let rows = [
        ("<script>alert(1)</script>", true),
        ("<img src=x onerror=alert(1)>", true),
        ("<a href=\"javascript:alert(1)\">", true),
        ("<img src=x onerror%09=alert(1)>", true),
        ("<b onmouseover\u{a0}=1>", true),
        ("onnull=1", true),
        ("on=1", false),
        ("a lone wolf = 1", false),
        ("a < b and c > d", false),
        ("hello", false),
        ("", false),
    ];
    for (value, expected) in rows {
        assert_eq!(is_xss(value.as_bytes()), expected, "{value}");
    }
}
