//! Paths as an operator writes them, and what they mean.

use super::PathMatch;

#[test]
fn paths() {
    let rows: &[(&str, &str, bool)] = &[
        ("/search", "/search", true),
        ("/search", "/search/", false),
        ("/search", "/Search", false),
        ("/search/*", "/search/", true),
        ("/search/*", "/search/a/b", true),
        ("/search/*", "/search", false),
        ("/search*", "/searching", true),
        ("/*", "/", true),
        ("/a b", "/a b", true),
    ];
    for (written, path, expected) in rows {
        let parsed = PathMatch::new(written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(parsed.matches(path.as_bytes()), *expected, "{written} {path}");
    }
    for wrong in ["", "search", "*", "/a*b", "/**", "/a?b=c", "http://a/"] {
        assert!(PathMatch::new(wrong).is_err(), "{wrong}");
    }
}
