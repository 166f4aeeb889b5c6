//! What XML bodies give, what is refused, and bombs that stay small.

use super::read;
use crate::engine::body::{BodyError, Extent};
use crate::engine::limits;

fn texts(text: &str, extent: Extent) -> (Vec<String>, Result<(), BodyError>) {
    let mut pairs = Vec::new();
    let outcome = read(text.as_bytes(), extent, 1000, &mut pairs);
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = pairs.iter().map(|(path, value)| format!("{} {}", shown(path), shown(value)));
    (shown.collect(), outcome)
}

#[test]
fn values() {
    let rows: &[(&str, &[&str])] = &[
        ("<a/>", &["/* "]),
        ("<a>x</a>", &["/* x", "//text() x"]),
        (
            "<?xml version=\"1.0\"?><a b=\"1\"><c d='2'>x</c>y</a>",
            &["/* xy", "//@* 1", "//@* 2", "//text() x", "//text() y"],
        ),
        ("<a><![CDATA[<x>]]>&lt;&#65;&amp;</a>", &["/* <x><A&", "//text() <x><A&"]),
        ("<a b='&quot;&#x3c;'/>", &["/* ", "//@* \"<"]),
        ("<a xmlns='u' xmlns:p='v' p:b='1'>x<!-- c --></a>", &["/* x", "//@* 1", "//text() x"]),
    ];
    for (text, expected) in rows {
        let (found, outcome) = texts(text, Extent::Whole);
        assert_eq!(outcome, Ok(()), "{text}");
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn refused() {
    let rows =
        ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a b='1' b='2'/>", "x<a/>", "<a/>x", "</a>"];
    for text in rows {
        assert!(texts(text, Extent::Whole).1.is_err(), "{text}");
    }
}

#[test]
fn a_prefix_gives_what_it_holds() {
    let (found, outcome) = texts("<a b='1'>x<c>evil", Extent::Prefix);
    assert_eq!(outcome, Ok(()));
    assert!(found.contains(&"//@* 1".to_owned()), "{found:?}");
}

#[test]
fn depth_on_both_sides() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(texts(&nested(limits::XML_DEPTH), Extent::Whole).1, Ok(()));
    assert_eq!(texts(&nested(limits::XML_DEPTH + 1), Extent::Whole).1, Err(BodyError::XmlDepth));
}

#[test]
fn attributes_on_both_sides() {
    let element = |count: usize| {
        let attributes: String = (0..count).map(|number| format!(" xmlns:a{number}='1'")).collect();
        format!("<a{attributes}/>")
    };
    assert_eq!(texts(&element(limits::XML_ATTRIBUTES), Extent::Whole).1, Ok(()));
    assert_eq!(texts(&element(limits::XML_ATTRIBUTES + 1), Extent::Whole).1, Err(BodyError::XmlAttributes));
}

#[test]
fn entities_are_not_expanded() {
    let bomb = "<!DOCTYPE a [<!ENTITY x \"yyyy\"><!ENTITY z \"&x;&x;\">]><a b='&z;'>&z;&z;</a>";
    assert_eq!(texts(bomb, Extent::Whole).1, Err(BodyError::XmlEntity));
    let unused = "<!DOCTYPE a [<!ENTITY x \"yyyy\">]><a>z</a>";
    assert_eq!(texts(unused, Extent::Whole), (vec!["/* z".to_owned(), "//text() z".to_owned()], Ok(())));
}

#[test]
fn values_are_bounded() {
    let mut pairs = Vec::new();
    let text = format!("<a>{}</a>", "<b c='1'/>".repeat(20));
    assert_eq!(read(text.as_bytes(), Extent::Whole, 10, &mut pairs), Err(BodyError::Arguments));
    assert_eq!(pairs.len(), 11);
}
