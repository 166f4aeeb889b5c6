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
        ("/.*", "/.well-known", true),
    ];
    for (written, path, expected) in rows {
        let parsed = PathMatch::new(written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(parsed.matches(path.as_bytes()), *expected, "{written} {path}");
    }
    // A path that two servers may take for different ones holds for no exclusion.
    let odd = ["/a%20b", "/a//b", "/a\\b", "/a/../b", "/./a", "/a/..", "/a\tb", "/a//*"];
    let wrong = ["", "search", "*", "/a*b", "/**", "/a?b=c", "http://a/"];
    for wrong in odd.into_iter().chain(wrong) {
        assert!(PathMatch::new(wrong).is_err(), "{wrong}");
    }
}
