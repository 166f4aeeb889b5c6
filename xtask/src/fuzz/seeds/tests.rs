//! Literals of source text as the bytes they stand for.

use super::literals;

#[test]
fn literals_with_a_line_end_are_seeds() {
    for (name, source, expected) in [
        (
            "a row",
            r#"    ("plain", b"GET / HTTP/1.1\r\n\r\n", None),"#,
            vec![b"GET / HTTP/1.1\r\n\r\n".to_vec()],
        ),
        ("hexadecimal and quotes", r#"b"\x00\"\n""#, vec![b"\0\"\n".to_vec()]),
        ("two on a line", r#""a\n", "b\n""#, vec![b"a\n".to_vec(), b"b\n".to_vec()]),
        ("no line end", r#"("plain", "x")"#, vec![]),
        ("not closed", "let quote = '\"';", vec![]),
    ] {
        assert_eq!(literals(source), expected, "{name}");
    }
}
