//! Macros and their expansion.

use super::Template;
use crate::engine::limits;
use crate::engine::values::Values;

#[test]
fn expansions() {
    let mut values = Values { method: b"GET".to_vec(), ..Values::default() };
    values.set_tx(b"Name", b"v".to_vec());
    values.headers.push((b"Host".to_vec(), b"h".to_vec()));
    values.headers.push((b"HOST".to_vec(), b"second".to_vec()));
    let rows = [
        ("plain", "plain"),
        ("", ""),
        ("%{tx.name}", "v"),
        ("%{TX:NAME}-%{Request_Headers.host}", "v-h"),
        ("a%{REQUEST_METHOD}b", "aGETb"),
        ("%{tx.unset}|", "|"),
        ("100%{", "100%{"),
        ("% {tx.name}", "% {tx.name}"),
    ];
    for (text, expected) in rows {
        let template = Template::parse(text.as_bytes()).expect(text);
        assert_eq!(template.expand_lossy(&values), expected, "{text}");
    }
}

#[test]
fn unknown_names() {
    for (text, name, at) in
        [("x %{nothing}", "nothing", 4), ("%{REQUEST_METHOD.a}", "REQUEST_METHOD.a", 2), ("%{}", "", 2)]
    {
        let error = Template::parse(text.as_bytes()).expect_err(text);
        assert_eq!((error.name.as_str(), error.at), (name, at), "{text}");
    }
}

#[test]
fn names_on_both_sides() {
    let named = |key: usize| format!("%{{tx.{}}}", "k".repeat(key));
    let most = limits::MACRO_BYTES - "%{tx.}".len();
    for (key, is_macro) in [(most, true), (most + 1, false)] {
        let template = Template::parse(named(key).as_bytes()).expect("a template");
        assert_eq!(template.as_literal().is_none(), is_macro, "{key}");
    }
    // Many that are never closed cost no more than their number.
    assert!(Template::parse("%{".repeat(500_000).as_bytes()).is_ok());
}

#[test]
fn length_on_both_sides() {
    for (length, expected) in [
        (limits::EXPANSION_BYTES - 1, limits::EXPANSION_BYTES),
        (limits::EXPANSION_BYTES, limits::EXPANSION_BYTES),
    ] {
        let mut values = Values::default();
        values.set_tx(b"a", vec![b'x'; length]);
        let template = Template::parse(b"%{tx.a}y").expect("a template");
        assert_eq!(template.expand(&values).len(), expected);
    }
}
