//! Each flag of multipart bodies: what raises it, alone.

use super::{Flags, boundary, read};
use crate::engine::body::Extent;
use crate::engine::options::Options;
use crate::engine::values::Values;
use crate::engine::variable::Variable;

const FLAGS: &[Variable] = &[
    Variable::MultipartBoundaryQuoted,
    Variable::MultipartBoundaryWhitespace,
    Variable::MultipartCrlfLfLines,
    Variable::MultipartDataAfter,
    Variable::MultipartDataBefore,
    Variable::MultipartFileLimitExceeded,
    Variable::MultipartHeaderFolding,
    Variable::MultipartInvalidHeaderFolding,
    Variable::MultipartInvalidPart,
    Variable::MultipartInvalidQuoting,
    Variable::MultipartLfLine,
    Variable::MultipartMissingSemicolon,
    Variable::MultipartUnmatchedBoundary,
];

fn raised(flags: &Flags) -> Vec<&'static str> {
    let is_raised = |variable: &&Variable| flags.value(**variable).is_some_and(|value| *value == *b"1");
    FLAGS.iter().filter(is_raised).map(|variable| variable.name()).collect()
}

#[test]
fn flags_of_bodies() {
    let part = |headers: &str, content: &str| format!("--b\r\n{headers}\r\n\r\n{content}\r\n--b--\r\n");
    let named = "Content-Disposition: form-data; name=\"a\"";
    let rows: &[(&str, String, &[&str], bool)] = &[
        ("clean", part(named, "x"), &[], true),
        ("before", format!("x\r\n{}", part(named, "x")), &["MULTIPART_DATA_BEFORE"], true),
        ("after", format!("{}x", part(named, "x")), &["MULTIPART_DATA_AFTER"], true),
        ("LF", part(named, "x").replace("\r\n", "\n"), &["MULTIPART_LF_LINE"], true),
        (
            "both",
            part(&format!("X: y\n{named}"), "x"),
            &["MULTIPART_CRLF_LF_LINES", "MULTIPART_LF_LINE"],
            true,
        ),
        ("LF inside a text", part(named, "x\ny"), &[], true),
        ("folded", part(&named.replace("; ", ";\r\n "), "x"), &["MULTIPART_HEADER_FOLDING"], true),
        (
            "folded without a header",
            part(&format!(" x\r\n{named}"), "x"),
            &["MULTIPART_HEADER_FOLDING"],
            false,
        ),
        ("no name", part("Content-Disposition: form-data", "x"), &[], false),
        ("single quotes", part(&named.replace('"', "'"), "x"), &["MULTIPART_INVALID_QUOTING"], true),
        ("glued to a quote", part(&format!("{named}b"), "x"), &["MULTIPART_INVALID_QUOTING"], false),
        ("unmatched", part(named, "--c\r\nx"), &["MULTIPART_UNMATCHED_BOUNDARY"], true),
        ("half a boundary", part(named, "--bb\r\nx"), &["MULTIPART_INVALID_PART"], true),
        ("doubled header", part(&format!("X: y\r\nX: z\r\n{named}"), "x"), &[], false),
        ("no end", part(named, "x").replace("--b--", ""), &[], false),
    ];
    for (name, body, expected, reads) in rows {
        let mut values = Values::default();
        let outcome = read(body.as_bytes(), b"b", Extent::Whole, &mut values, &Options::default());
        assert_eq!(raised(&values.multipart), *expected, "{name}");
        assert_eq!(outcome.is_ok(), *reads, "{name}");
    }
}

#[test]
fn headers_that_cannot_be_read_are_shown() {
    let head = "--b\r\n\x0eContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n";
    let mut values = Values::default();
    assert!(read(head.as_bytes(), b"b", Extent::Whole, &mut values, &Options::default()).is_err());
    let line = b"\x0eContent-Disposition: form-data; name=\"a\"".to_vec();
    assert_eq!(values.part_headers, [(Vec::new(), line)]);
}

#[test]
fn files_on_both_sides_of_the_limit() {
    let file = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n12\r\n";
    let options = Options { upload_file_limit: 2, ..Options::default() };
    for (files, kept, exceeded) in [(2, 2, false), (3, 2, true)] {
        let mut values = Values::default();
        let body = format!("{}--b--\r\n", file.repeat(files));
        let outcome = read(body.as_bytes(), b"b", Extent::Whole, &mut values, &options);
        assert_eq!(outcome, Ok(()));
        assert_eq!((values.files.len(), values.multipart.file_limit_exceeded), (kept, exceeded), "{files}");
    }
}

#[test]
fn flags_of_the_boundary() {
    let rows: &[(&str, &[&str])] = &[
        ("multipart/form-data; boundary=b", &[]),
        ("multipart/form-data; boundary=\"b\"", &["MULTIPART_BOUNDARY_QUOTED"]),
        ("multipart/form-data boundary=b", &["MULTIPART_MISSING_SEMICOLON"]),
        ("multipart/form-data ; boundary=b", &[]),
        ("multipart/form-data; boundary= b", &["MULTIPART_BOUNDARY_WHITESPACE"]),
        ("multipart/form-data; Boundary =b", &["MULTIPART_BOUNDARY_WHITESPACE"]),
        (
            "multipart/form-data; boundary=\"b c\"",
            &["MULTIPART_BOUNDARY_QUOTED", "MULTIPART_BOUNDARY_WHITESPACE"],
        ),
    ];
    for (text, expected) in rows {
        let mut flags = Flags::default();
        assert!(boundary(text.as_bytes(), &mut flags).is_ok(), "{text}");
        assert_eq!(raised(&flags), *expected, "{text}");
    }
}
