//! Tables of what only backtracking can match, and the end of its patience.

use super::{Backtrack, Outcome};
use crate::engine::limits;
use crate::engine::pattern::parse;

fn search(pattern: &str, value: &[u8]) -> Outcome {
    let parsed = parse::parse(pattern.as_bytes()).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    Backtrack::new(&parsed)
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
        .search(value, 0, limits::BACKTRACK_STEPS)
        .0
}

/// (pattern, value, span)
type Row = (&'static str, &'static str, Option<(usize, usize)>);

#[test]
fn hits_and_misses() {
    let rows: &[Row] = &[
        ("a(?=b)", "ab", Some((0, 1))),
        ("a(?=b)", "ac", None),
        ("a(?!b)", "abac", Some((2, 3))),
        ("(?<=a)b", "cbab", Some((3, 4))),
        ("(?<!a)b", "abcb", Some((3, 4))),
        ("(?<=ab|c)d", "bdabd", Some((4, 5))),
        ("(?<!ab|c)d", "abdcdd", Some((5, 6))),
        (r"(a+)b\1", "aabaa", Some((0, 5))),
        (r"(?i)(a)\1", "xaA", Some((1, 3))),
        (r"(a)?b\1", "b", None),
        (r"(?<q>['x])y\k<q>", "'yx'y'", Some((3, 6))),
        (r"(x)\g{-1}", "xx", Some((0, 2))),
        ("(?>a+)ab", "aaab", None),
        ("a++b", "aaab", Some((0, 4))),
        ("a*+a", "aaa", None),
        ("^(?!.*x).+$", "abc", Some((0, 3))),
        ("^(?!.*x).+$", "abxc", None),
        ("(?:a|ab)(?=c)", "abc", Some((0, 2))),
        ("(?:)*(?=a)", "a", Some((0, 0))),
        ("(?:a*)*(?=b)", "aab", Some((0, 2))),
        ("a{2,3}?(?=a)", "aaaa", Some((0, 2))),
    ];
    for (pattern, value, expected) in rows {
        let found = match search(pattern, value.as_bytes()) {
            Outcome::Hit(groups) => groups.first().copied().flatten(),
            Outcome::Miss => None,
            Outcome::Spent => panic!("{pattern} spent its steps"),
        };
        assert_eq!(found, *expected, "{pattern} on {value}");
    }
}

#[test]
fn groups_of_a_look_stay() {
    let Outcome::Hit(groups) = search("(?=(a+))(a)(b)?", b"aaa") else { panic!("a hit") };
    assert_eq!(groups, [Some((0, 1)), Some((0, 3)), Some((0, 1)), None]);
}

#[test]
fn steps_are_bounded() {
    let value = vec![b'a'; 5_000];
    assert_eq!(search(r"(?:a+)+(?=b)\b(?!x)", &value), Outcome::Spent);
}
