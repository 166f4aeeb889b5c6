//! What is a key, and where a prefix ends.

use super::*;

#[test]
fn keys_are_visible_ascii_of_bounded_length() {
    let longest = "a".repeat(KEY_BYTES_MAX);
    let too_long = "a".repeat(KEY_BYTES_MAX + 1);
    let rows = [
        ("empty", "", false),
        ("one letter", "a", true),
        ("words between slashes", "environment/17", true),
        ("longest", &longest, true),
        ("one too long", &too_long, false),
        ("space", "a b", false),
        ("control character", "a\n", false),
        ("not ASCII", "環境/1", false),
    ];
    for (name, text, expected) in rows {
        assert_eq!(Key::new(text).is_ok(), expected, "{name}");
    }
}

#[test]
fn a_prefix_ends_before_the_first_text_that_it_does_not_begin() {
    let rows = [("", "\u{7f}"), ("a", "b"), ("site/", "site0"), ("~", "\u{7f}")];
    for (prefix, end) in rows {
        assert_eq!(Prefix::new(prefix).unwrap().end(), end, "{prefix:?}");
    }
}

#[test]
fn a_prefix_holds_what_it_begins() {
    let prefix = Prefix::new("site/").unwrap();
    for (key, rest) in [("site/a", Some("a")), ("site/", Some("")), ("site", None), ("sites/a", None)] {
        let key = Key::new(key).unwrap();
        assert_eq!(prefix.rest(&key), rest, "{key}");
        assert_eq!(prefix.holds(&key), rest.is_some(), "{key}");
    }
}
