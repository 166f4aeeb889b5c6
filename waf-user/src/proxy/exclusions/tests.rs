//! Paths that an exclusion may trust, and which exclusions hold for which.

use super::{Exclusions, plain_path};
use crate::config::{Exclusion, PathMatch};
use crate::engine::RuleChoice;

#[test]
fn a_path_with_one_meaning_is_plain() {
    let rows: &[(&str, Option<&str>)] = &[
        ("/", Some("/")),
        ("/search", Some("/search")),
        ("/search?q=/../", Some("/search")),
        ("/a%20b", Some("/a b")),
        ("/a/", Some("/a/")),
        ("/a;v=1/b", Some("/a;v=1/b")),
        ("/...", Some("/...")),
        ("/a/../b", None),
        ("/a/..", None),
        ("/./a", None),
        ("/a/..;x/b", None),
        ("/%2e%2e/a", None),
        ("/%2E./a", None),
        ("/a%2fb", None),
        ("/a//b", None),
        ("//a", None),
        ("/;/a", None),
        ("/a\\b", None),
        ("/a%5cb", None),
        ("/a%00", None),
        ("/%252e%252e/a", None),
        ("/a%2", None),
        ("/a%zz", None),
        ("*", None),
        ("http://a.test/search", None),
        ("", None),
    ];
    for (target, expected) in rows {
        let path = plain_path(target.as_bytes()).map(|path| String::from_utf8_lossy(&path).into_owned());
        assert_eq!(path.as_deref(), *expected, "{target}");
    }
}

#[test]
fn exclusions_hold_for_their_paths() {
    let exclusion = |path: Option<&str>| Exclusion {
        rules: RuleChoice::Ids(1, 1),
        path: path.map(|path| PathMatch::new(path).expect("a path")),
        parameter: None,
        cookie: None,
        header: None,
    };
    let exclusions = Exclusions::new(&[exclusion(None), exclusion(Some("/a")), exclusion(Some("/a*"))]);
    for (target, expected) in
        [("/a", 3), ("/a?x", 3), ("/%61", 3), ("/ab", 2), ("/b", 1), ("/a/../b", 1), ("*", 1)]
    {
        assert_eq!(exclusions.of(target.as_bytes()).count(), expected, "{target}");
    }
    assert_eq!(Exclusions::default().of(b"/a").count(), 0);
}
