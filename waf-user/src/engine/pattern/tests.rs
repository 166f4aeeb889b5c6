//! One compilation for each distinct text, and the meaning agreed for SecLang.

use std::sync::Arc;

use super::Pattern;

#[test]
fn a_text_is_compiled_once() {
    let first = Pattern::shared("once [a-z]+").expect("a pattern");
    let second = Pattern::shared("once [a-z]+").expect("a pattern");
    let other = Pattern::shared("once [a-z]*").expect("a pattern");
    assert!(Arc::ptr_eq(&first.regex, &second.regex));
    assert!(!Arc::ptr_eq(&first.regex, &other.regex));
}

#[test]
fn bytes_dots_and_ends() {
    let rows: &[(&str, &[u8], bool)] = &[
        ("^a.b$", b"a\nb", true),
        ("b$", b"b\n", false),
        ("^.$", b"\xff", true),
        (r"^\x00$", b"\0", true),
        (r"\bor\b", "日or本".as_bytes(), true),
        (r"^\w+$", "日".as_bytes(), false),
        ("(?i)ÀX", "Àx".as_bytes(), true),
    ];
    for (text, value, expected) in rows {
        assert_eq!(Pattern::shared(text).expect("a pattern").is_match(value), *expected, "{text}");
    }
}

#[test]
fn what_cannot_be_compiled_says_why() {
    let rows = [
        ("(", "unclosed group"),
        ("a(?=b)", "look-around"),
        (r"(a)\1", "backreferences"),
        ("(x{1000}){1000}", "size limit"),
    ];
    for (text, reason) in rows {
        let error = Pattern::shared(text).expect_err(text);
        assert!(error.reason.contains(reason), "{text}: {}", error.reason);
    }
}
