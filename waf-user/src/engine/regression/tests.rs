//! The reader of test files, the lenient reader of requests, and the runner on rules of its own.

use std::io;
use std::sync::Arc;

use super::{Answer, Kind, Runner, read_request, read_tests, test_settings, with_test_settings};
use crate::engine::{RuleFile, RuleFiles, RuleSet};

struct NoFiles;

impl RuleFiles for NoFiles {
    fn read(&self, _path: &str, _from: &str) -> io::Result<RuleFile> {
        Err(io::Error::from(io::ErrorKind::NotFound))
    }

    fn glob(&self, _pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

const RULES: &str = r#"
SecRule ARGS "@rx attack" "id:1001,phase:2,block,log,msg:'in an argument',logdata:'%{MATCHED_VAR}'"
SecRule REQUEST_HEADERS:X-Seen "@streq yes" "id:1002,phase:1,deny,log,msg:'a header'"
SecRule RESPONSE_BODY "@rx leak" "id:1003,phase:4,block,log,msg:'in the answer'"
SecRule REQUEST_COOKIES:sid "@rx ." "id:1004,phase:1,pass,log,msg:'a cookie'"
SecRule REQUEST_FILENAME "@streq /moved" "id:1005,phase:1,pass,log,msg:'the new place'"
"#;

fn runner() -> Runner {
    let file = RuleFile { name: "rules.conf".to_owned(), text: RULES.as_bytes().to_vec() };
    let rules = RuleSet::compile_with_defaults(&with_test_settings(vec![file]), &NoFiles);
    let rules = rules.unwrap_or_else(|errors| panic!("{errors}"));
    Runner::new(Arc::new(rules), test_settings(), 1_700_000_000_000)
}

/// Runs the tests of a text; each test's id with the reason of its failure.
fn outcomes(text: &str) -> Vec<(String, Option<String>)> {
    let runner = runner();
    let tests = read_tests(text, "1001.yaml").unwrap_or_else(|error| panic!("{error}"));
    tests
        .into_iter()
        .map(|test| (test.id.clone(), runner.run(&test).failure.map(|(_, reason)| reason)))
        .collect()
}

#[test]
fn both_spellings_are_read() {
    let older = r#"
meta: { enabled: true, name: "1001.yaml" }
tests:
  - test_title: 1001-1
    desc: "in the query"
    stages:
      - stage:
          input: { method: GET, uri: "/?a=attack", headers: { Host: localhost } }
          output: { log_contains: 'id "1001"' }
  - test_title: 1001-2
    stages:
      - stage:
          input:
            method: POST
            headers: { Host: localhost }
            data: ["a=1&", "b=attack it"]
            stop_magic: false
          output: { no_log_contains: 'id "1002"', status: [200, 403] }
  - test_title: 1001-3
    enabled: false
    stages: []
"#;
    let newer = r#"
rule_id: 1001
tests:
  - test_id: 7
    stages:
      - input: { method: POST, headers: { Host: localhost }, data: "a={{ "attack" | repeat 3 }}" }
        output: { log: { expect_ids: [1001], no_expect_ids: [1002] }, isolated: true }
  - stages:
      - input: { uris: ["/?a=attack", "/?b=attack"], headers: { Host: localhost } }
        output: { status: 200, log: { expect_ids: 1001, match_regex: 'data "attack"' } }
"#;
    let newer = newer.replace("\"a={{ \"attack\" | repeat 3 }}\"", "'a={{ \"attack\" | repeat 3 }}'");
    let tests = read_tests(older, "1001.yaml").unwrap_or_else(|error| panic!("{error}"));
    let read: Vec<_> = tests
        .iter()
        .map(|test| (test.id.as_str(), test.rule, test.number, test.kind(), test.enabled))
        .collect();
    assert_eq!(
        read,
        [
            ("1001-1", 1001, 1, Kind::Positive, true),
            ("1001-2", 1001, 2, Kind::Negative, true),
            ("1001-3", 1001, 3, Kind::Http, false),
        ]
    );
    for (id, failure) in outcomes(older).into_iter().chain(outcomes(&newer)) {
        assert_eq!(failure, None, "{id}");
    }
    let ids: Vec<String> = outcomes(&newer).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["1001-7", "1001-2"]);
}

#[test]
fn failures_say_what_was_not_as_expected() {
    let stage = |input: &str, output: &str| {
        format!(
            "rule_id: 1\ntests:\n- stages:\n  - input: {{ headers: {{ Host: a }}, {input} }}\n    output: {{ {output} }}\n"
        )
    };
    let rows = [
        (
            "an id that is missing",
            stage("uri: /", "log: { expect_ids: [1001] }"),
            "did not match: 1001; matched: none",
        ),
        ("an id too many", stage("uri: /?a=attack", "log: { no_expect_ids: [1001] }"), "matched: 1001"),
        ("a status", stage("uri: /status/404", "status: 200"), "status 404, expected 200"),
        ("an answer", stage("uri: /", "response_contains: hello"), "the answer lacks /hello/"),
        (
            "an error that is none",
            stage("uri: /", "expect_error: true"),
            "an error was expected, got status 200",
        ),
        ("an answer that is none", stage("uri: /, version: ''", "status: 200"), "no answer: HTTP/0.9"),
        (
            "a log line",
            stage("uri: /?a=attack", "log: { match_regex: 'id \"9\"' }"),
            "no log line has /id \"9\"/",
        ),
        ("more than one rule", stage("uri: /moved?a=attack", "isolated: true"), "one rule was to match"),
    ];
    for (name, text, expected) in rows {
        let failure = outcomes(&text).into_iter().next().and_then(|(_, failure)| failure).unwrap_or_default();
        assert!(failure.starts_with(expected), "{name}: {failure:?}");
    }
}

#[test]
fn stages_share_cookies_and_redirects() {
    let text = r#"
rule_id: 1004
tests:
- test_id: 1
  stages:
  - input:
      method: POST
      uri: /reflect
      save_cookie: true
      headers: { Host: localhost, Content-Type: application/json }
      data: '{"status": 302, "headers": {"Set-Cookie": "sid=1; Path=/", "Location": "/moved"}}'
    output: { status: 302, log: { no_expect_ids: [1004] } }
  - input: { follow_redirect: true, headers: { Host: localhost } }
    output: { log: { expect_ids: [1004, 1005] } }
- test_id: 2
  stages:
  - input: { headers: { Host: a }, response: { status: 201, body: "a leak" } }
    output: { status: 201, response_contains: "a leak", log: { expect_ids: [1003] } }
- test_id: 3
  stages:
  - input: { uri: /base64/YSBsZWFr, headers: { Host: a } }
    output: { log: { expect_ids: [1003] } }
  - input: { method: HEAD, uri: /base64/YSBsZWFr, headers: { Host: a } }
    output: { status: 200, log: { no_expect_ids: [1003] } }
  - input: { uri: "/?a=attack", headers: { Host: "a b" } }
    output: { status: 400, log: { no_expect_ids: [1001] } }
- test_id: 4
  stages:
  - input: { encoded_request: R0VUIC8/YT1hdHRhY2sgSFRUUC8xLjENCkhvc3Q6IGENClgtU2VlbjogeWVzDQoNCg== }
    output: { log: { expect_ids: [1001, 1002] } }
"#;
    for (id, failure) in outcomes(text) {
        assert_eq!(failure, None, "{id}");
    }
}

#[test]
fn text_that_holds_no_tests() {
    let rows = [
        ("no YAML", "tests: [", true),
        ("a broken pattern", "tests:\n- stages:\n  - output: { log: { match_regex: '(' } }\n", true),
        ("aliases without bound", &bomb(), true),
        (
            "a repetition without bound",
            "tests:\n- stages:\n  - input: { data: '{{ \"a\" | repeat 99999999999 }}' }\n",
            true,
        ),
        ("nothing", "", false),
        ("another document", "- 1\n- 2\n", false),
    ];
    for (name, text, fails) in rows {
        assert_eq!(read_tests(text, "a.yaml").is_err(), fails, "{name}");
    }
}

fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    text
}

#[test]
fn requests_are_read_leniently() {
    /// Name, bytes, body, request line, why a strict server refuses it.
    type Row = (&'static str, &'static [u8], &'static [u8], &'static str, Option<&'static str>);
    let rows: &[Row] = &[
        ("plain", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"", "GET|/|HTTP/1.1", None),
        ("a sized body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabc", b"ab", "POST|/|HTTP/1.1", None),
        ("no length, no body", b"POST / HTTP/1.1\r\nHost: a\r\n\r\nabc", b"", "POST|/|HTTP/1.1", None),
        (
            "chunks",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n3;x=1\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
            b"abcd",
            "POST|/|HTTP/1.1",
            None,
        ),
        ("line feeds alone", b"GET / HTTP/1.1\nHost: a\n\n", b"", "GET|/|HTTP/1.1", Some("a line ends in LF alone")),
        ("spaces in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", b"", "GET|/a b|HTTP/1.1", Some("white space in the target")),
        ("another protocol", b"GET / JUNK/1.0\r\nHost: a\r\n\r\n", b"", "GET|/|JUNK/1.0", Some("no protocol that a server knows")),
        ("no Host", b"GET / HTTP/1.1\r\n\r\n", b"", "GET|/|HTTP/1.1", Some("no Host")),
        ("an older one needs none", b"GET / HTTP/1.0\r\n\r\n", b"", "GET|/|HTTP/1.0", None),
        ("a length that is none", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nq", b"q", "GET|/|HTTP/1.1", Some("Content-Length is no number")),
        ("chunks without an end", b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"ab", "GET|/|HTTP/1.1", Some("the chunks have no end")),
        ("nothing at all", b"", b"", "||", Some("the method is no token")),
    ];
    for (name, bytes, body, line, bad) in rows {
        let request = read_request(bytes);
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let read = format!("{}|{}|{}", lossy(&request.method), lossy(&request.target), request.protocol);
        let refused = request.bad.or(request.bad_later);
        assert_eq!((read.as_str(), request.body.as_slice(), refused), (*line, *body, *bad), "{name}");
    }
}

#[test]
fn fields_of_one_name_are_joined() {
    let request =
        read_request(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nAccept: b\r\nx-a: 2\r\n\r\n").joined();
    let fields: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    assert_eq!(fields, [(&b"Host"[..], &b"a"[..]), (b"X-A", b"1, 2"), (b"Accept", b"b")]);
}

#[test]
fn answers_get_a_type_by_their_look() {
    let rows = [
        ("<html><body>", "text/html; charset=utf-8"),
        ("<?xml version=\"1.0\"?>", "text/xml; charset=utf-8"),
        ("plain words", "text/plain; charset=utf-8"),
        ("\u{1}\u{2}", "application/octet-stream"),
    ];
    for (body, expected) in rows {
        let wanted = serde_json::json!({ "body": body }).to_string();
        let head = format!("POST /reflect HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", wanted.len());
        let answer = Answer::of(&read_request(format!("{head}{wanted}").as_bytes()));
        assert_eq!(answer.header("content-type"), Some(expected), "{body:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..400)) {
        let request = read_request(&bytes);
        Answer::of(&request);
    }

    #[test]
    fn no_text_panics(text in "[-a-z0-9:{}\\[\\]\"'&*<!|> \n]{0,200}") {
        let _ = read_tests(&text, "1.yaml");
    }
}
