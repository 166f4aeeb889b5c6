//! One compilation for each distinct text, and the meaning agreed for SecLang.

use std::sync::Arc;

use super::Pattern;

#[test]
fn a_text_is_compiled_once() {
    let first = Pattern::shared("once [a-z]+").expect("a pattern");
    let second = Pattern::shared("once [a-z]+").expect("a pattern");
    let other = Pattern::shared("once [a-z]*").expect("a pattern");
    assert!(Arc::ptr_eq(&first.compiled, &second.compiled));
    assert!(!Arc::ptr_eq(&first.compiled, &other.compiled));
}

#[test]
fn bytes_dots_and_ends() {
    let rows: &[(&str, &[u8], bool)] = &[
        ("^a.b$", b"a\nb", true),
        ("b$", b"b\n", false),
        ("^.$", b"\xff", true),
        (r"^\x00$", b"\0", true),
        (r"a\x{bc}", b"a\xbc", true),
        (r"a{,2}", b"a{,2}", true),
        (r"{a}", b"{a}", true),
        (r"a{2}", b"aa", true),
        (r"^[[a]$", b"[", true),
        (r"^[a&&b]+$", b"a&b", true),
        (r"^[]a]+$", b"]a", true),
        (r"^[^]a]$", b"]", false),
        (r"^[\w-x]+$", b"a-x", true),
        (r"^[+--]$", b",", true),
        (r"\<\/\'\%", b"</'%", true),
        (r"^\v$", b"\x0b", true),
        (r"^\h$", b"\t", true),
        (r"^\e$", b"\x1b", true),
        (r"^\101$", b"A", true),
        (r"^[\b]$", b"\x08", true),
        (r"^[[:alpha:]_]+$", b"a_", true),
        (r"^[^a]$", b"A", true),
        (r"(?i)^[^a]$", b"A", false),
        (r"\Qa.b\E+", b"a.bb", true),
        (r"(?x) a b # c", b"ab", true),
        (r"a(?#note)b", b"ab", true),
        (r"(?i:A)b", b"ab", true),
        (r"(?i:A)B", b"ab", false),
        (r"a\Z", b"a\n", true),
        (r"^(?:|x)$", b"", true),
        (r"(?m)^b$", b"a\nb\nc", true),
        (r"(?-s)a.b", b"a\nb", false),
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
        (")", "unopened group"),
        ("[a", "unclosed character class"),
        ("[b-a]", "out of order"),
        ("*a", "nothing to repeat"),
        ("a{3,2}", "ends before"),
        ("(?<=a+)b", "no fixed length"),
        ("(?R)", "unsupported group"),
        ("(*COMMIT)a", "verbs"),
        (r"\pL", "not supported"),
        ("(x{1000}){1000}", "size limit"),
    ];
    for (text, reason) in rows {
        let error = Pattern::shared(text).expect_err(text);
        assert!(error.reason.contains(reason), "{text}: {}", error.reason);
    }
}
