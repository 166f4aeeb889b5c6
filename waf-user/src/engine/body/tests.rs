//! Tables of the body processors: what they read, what they refuse, and where a cut body is no error.

use super::{BodyError, Extent, MultipartFlags, json, multipart, processor_for};
use crate::engine::limits;
use crate::engine::options::Options;
use crate::engine::rule::BodyProcessor;
use crate::engine::values::Values;

fn leaves(text: &str, extent: Extent) -> (Vec<String>, Result<(), BodyError>) {
    let mut found = Vec::new();
    let outcome = json::read(text.as_bytes(), extent, limits::JSON_DEPTH, &mut |name, value| {
        found.push(format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(&value)));
        Ok(())
    });
    (found, outcome)
}

#[test]
fn json_leaves() {
    let rows: &[(&str, &[&str])] = &[
        (r#"{"a":{"b":1},"c":"x"}"#, &["json.a.b=1", "json.c=x"]),
        (
            r#"{"a":[1,{"b":[true,null]},-2.5e3]}"#,
            &["json.a=1", "json.a.b=true", "json.a.b=", "json.a=-2.5e3"],
        ),
        (r#"[[],{},"x"]"#, &["json=x"]),
        ("\u{feff} \"x\" ", &["json=x"]),
        (r#"{"a":"\u003c\ud83d\ude00\ud83dx\n\"\/"}"#, &["json.a=<😀\u{fffd}x\n\"/"]),
        (r#"{"あ":"い"}"#, &["json.あ=い"]),
        ("0", &["json=0"]),
    ];
    for (text, expected) in rows {
        let (found, outcome) = leaves(text, Extent::Whole);
        assert_eq!(outcome, Ok(()), "{text}");
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn json_that_is_none() {
    let rows = [
        "",
        "{",
        "[1",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "[1 2]",
        "1 2",
        "[1}",
        "{\"a\":1]",
        "]",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "nul",
        "NaN",
        "'x'",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"a",
        "[1]x",
        "--1",
    ];
    for text in rows {
        assert!(leaves(text, Extent::Whole).1.is_err(), "{text}");
    }
}

#[test]
fn a_prefix_of_json_gives_its_leaves() {
    let text = r#"{"a":"one","b":["two",{"c":"thr\u0065e"}],"d":12}"#;
    for end in 0..text.len() {
        let (found, outcome) = leaves(&text[..end], Extent::Prefix);
        assert_eq!(outcome, Ok(()), "{}", &text[..end]);
        assert!(end < 10 || found.first().is_some_and(|leaf| leaf.starts_with("json.a=")), "{end}");
    }
    assert_eq!(leaves(r#"{"a":"attack her"#, Extent::Prefix).0, ["json.a=attack her"]);
}

#[test]
fn json_depth_on_both_sides() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(leaves(&nested(limits::JSON_DEPTH), Extent::Whole).1, Ok(()));
    assert_eq!(leaves(&nested(limits::JSON_DEPTH + 1), Extent::Whole).1, Err(BodyError::Depth));
    assert_eq!(leaves(&nested(100_000), Extent::Whole).1, Err(BodyError::Depth));
}

#[test]
fn boundaries() {
    let rows: &[(&str, Option<&str>)] = &[
        ("multipart/form-data; boundary=abc", Some("abc")),
        ("multipart/form-data; charset=utf-8; BOUNDARY=\"a b\"", Some("a b")),
        ("multipart/form-data; boundary=----WebKitFormBoundaryX1", Some("----WebKitFormBoundaryX1")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=a; boundary=b", None),
        ("multipart/form-data; boundary=\"a", None),
        ("multipart/form-data; boundary=a,b", Some("a,b")),
        ("multipart/form-data; boundary=a<b", None),
    ];
    for (text, expected) in rows {
        assert_eq!(
            multipart::boundary(text.as_bytes(), &mut MultipartFlags::default()).ok().as_deref(),
            expected.map(str::as_bytes),
            "{text}"
        );
    }
    let of_length = |length: usize| format!("multipart/form-data; boundary={}", "b".repeat(length));
    let boundary = |text: String| multipart::boundary(text.as_bytes(), &mut MultipartFlags::default());
    assert!(boundary(of_length(70)).is_ok());
    assert!(boundary(of_length(71)).is_err());
}

fn read(body: &str, extent: Extent) -> (Values, Result<(), BodyError>) {
    let mut values = Values::default();
    let outcome = multipart::read(body.as_bytes(), b"b", extent, &mut values, &Options::default());
    (values, outcome)
}

fn field(name: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[test]
fn multipart_fields_and_files() {
    let file = "--b\r\ncontent-disposition:form-data; name=f; filename=\"C:\\dir\\a \\\"b\\\".txt\"\r\nContent-Type: \
                text/plain\r\n\r\n12345\r\n";
    let body = format!("{}{file}{}--b--\r\n", field("a", "one\r\n--bb"), field("a", ""));
    let (values, outcome) = read(&body, Extent::Whole);
    // "\r\n--bb" begins with the delimiter: what follows it is neither CRLF nor "--".
    assert!(outcome.is_ok() && values.multipart.invalid_part);
    let body = format!("{}{file}{}--b--\r\n", field("a", "one\r\n-b"), field("a", ""));
    let (values, outcome) = read(&body, Extent::Whole);
    assert_eq!(outcome, Ok(()));
    let pair = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    assert_eq!(values.args_post, [pair("a", "one\r\n-b"), pair("a", "")]);
    assert_eq!(values.files, [pair("f", "C:\\dir\\a \"b\".txt")]);
    assert_eq!(values.files_sizes, [pair("f", "5")]);
}

#[test]
fn multipart_that_is_refused() {
    let part = |headers: &str| format!("--b\r\n{headers}\r\n\r\nx\r\n--b--\r\n");
    let named = "Content-Disposition: form-data; name=\"a\"";
    let lines = |more: usize| {
        let more: String = (0..more).map(|number| format!("\r\nX{number}: y")).collect();
        format!("{named}{more}")
    };
    let rows = [
        ("empty", String::new()),
        ("preamble", format!("x\r\n{}--b--\r\n", field("a", "1"))),
        ("epilogue", format!("{}--b--\r\nx", field("a", "1"))),
        ("no end", field("a", "1")),
        ("bare line feeds", part(named).replace("\r\n", "\n")),
        ("bare line feed in headers", part(&format!("X: y\n{named}"))),
        ("bare CR in headers", part(&format!("X: y\rz\r\n{named}"))),
        ("folded", part("Content-Disposition: form-data;\r\n name=\"a\"")),
        ("no disposition", part("Content-Type: text/plain")),
        ("two dispositions", part(&format!("{named}\r\n{named}"))),
        ("not form-data", part("Content-Disposition: attachment; name=\"a\"")),
        ("no name", part("Content-Disposition: form-data; filename=\"a\"")),
        ("two names", part(&format!("{named}; name=\"b\""))),
        ("two file names", part(&format!("{named}; filename=a; filename=b"))),
        ("extended file name", part(&format!("{named}; filename*=utf-8''a"))),
        ("open quote", part("Content-Disposition: form-data; name=\"a")),
        ("text after quote", part("Content-Disposition: form-data; name=\"a\"b")),
        ("space before colon", part(&named.replace(':', " :"))),
        ("more header lines than the limit", part(&lines(limits::MULTIPART_PART_HEADERS))),
    ];
    for (name, body) in rows {
        let (values, outcome) = read(&body, Extent::Whole);
        assert!(outcome.is_err() || values.multipart.strict_error(), "{name}");
    }
    let most = part(&lines(limits::MULTIPART_PART_HEADERS - 1));
    assert!(read(&most, Extent::Whole).1.is_ok(), "as many header lines as the limit");
}

#[test]
fn a_prefix_of_multipart_is_no_error() {
    let body = format!("{}{}--b--\r\n", field("a", "one"), field("c", "two"));
    for end in "--b\r\n".len()..body.len() {
        assert_eq!(read(&body[..end], Extent::Prefix).1, Ok(()), "{}", &body[..end]);
    }
    assert_eq!(read(&field("a", "att"), Extent::Prefix).0.args_post.len(), 1);
}

#[test]
fn parts_on_both_sides() {
    let body = |parts: usize| format!("{}--b--\r\n", field("a", "1").repeat(parts));
    assert_eq!(read(&body(limits::MULTIPART_PARTS), Extent::Whole).1, Ok(()));
    assert_eq!(read(&body(limits::MULTIPART_PARTS + 1), Extent::Whole).1, Err(BodyError::Parts));
}

#[test]
fn processors_by_content_type() {
    let rows = [
        ("application/x-www-form-urlencoded", Some(BodyProcessor::UrlEncoded)),
        ("Application/JSON; charset=utf-8", Some(BodyProcessor::Json)),
        ("application/problem+json", Some(BodyProcessor::Json)),
        ("multipart/form-data;boundary=x", Some(BodyProcessor::Multipart)),
        ("multipart/mixed; boundary=x", None),
        ("text/plain", None),
        ("", None),
    ];
    for (content_type, expected) in rows {
        assert_eq!(processor_for(content_type.as_bytes()), expected, "{content_type}");
    }
}
