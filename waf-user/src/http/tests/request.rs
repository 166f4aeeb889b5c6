//! Raw request heads -> taken or the violation, with both sides of each limit.

use Violation as V;

use crate::http::{Framing, Limits, Parsed, RequestHead, Violation, parse_request_head};

pub(super) fn parse(bytes: &[u8]) -> Result<Parsed<RequestHead>, Violation> {
    parse_request_head(bytes, &Limits::default())
}

/// Raw head; the violation, or None for a head that is taken whole.
const HEADS: &[(&str, &[u8], Option<Violation>)] = &[
    // Request line.
    ("plain", b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("HTTP/1.0 without Host", b"GET / HTTP/1.0\r\n\r\n", None),
    ("one empty line before", b"\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("two empty lines before", b"\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("bare LF before", b"\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::BareLf)),
    ("unknown method", b"BREW /pot HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("lower-case method is another method", b"get / HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("method with token punctuation", b"M-SEARCH / HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("CONNECT", b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", Some(V::MethodRefused)),
    ("TRACE", b"TRACE / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::MethodRefused)),
    ("method with bracket", b"GE(T / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::MethodCharacter)),
    ("method with NUL", b"GE\0T / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::MethodCharacter)),
    ("method with non-ASCII", b"G\xc3\x89T / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::MethodCharacter)),
    ("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00", Some(V::MethodCharacter)),
    ("leading space", b" GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::MethodCharacter)),
    ("two spaces after the method", b"GET  / HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("two spaces before the version", b"GET /  HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("tab as separator", b"GET\t/ HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::MethodCharacter)),
    ("space in the target", b"GET /a b HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("trailing space", b"GET / HTTP/1.1 \r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("no target", b"GET HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::Http09)),
    ("method alone", b"GET\r\n\r\n", Some(V::RequestLine)),
    ("HTTP/0.9", b"GET /\r\n", Some(V::Http09)),
    ("HTTP/0.9 spelt out", b"GET / HTTP/0.9\r\n\r\n", Some(V::Version)),
    ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a.test\r\n\r\n", Some(V::Version)),
    ("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: a.test\r\n\r\n", Some(V::Version)),
    ("the preface of h2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(V::Version)),
    ("HTTP/3.0", b"GET / HTTP/3.0\r\nHost: a.test\r\n\r\n", Some(V::Version)),
    ("lower-case version", b"GET / http/1.1\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("two-digit version", b"GET / HTTP/1.10\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("version without a point", b"GET / HTTP/11\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    ("other protocol", b"GET / ICAP/1.0\r\nHost: a.test\r\n\r\n", Some(V::RequestLine)),
    // Target.
    ("query", b"GET /a?b=c&d=%20 HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("raw UTF-8", "GET /検索?q=寿司 HTTP/1.1\r\nHost: a.test\r\n\r\n".as_bytes(), None),
    ("what attacks are made of", b"GET /<script>\"|{}^`\\ HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("no UTF-8", b"GET /\xff HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetCharacter)),
    ("NUL in the target", b"GET /\0 HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetCharacter)),
    ("tab in the target", b"GET /a\tb HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetCharacter)),
    ("DEL in the target", b"GET /\x7f HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetCharacter)),
    ("fragment", b"GET /a#b HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetCharacter)),
    ("asterisk of OPTIONS", b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("asterisk of GET", b"GET * HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetForm)),
    ("no slash", b"GET a HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetForm)),
    ("query alone", b"GET ?a HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetForm)),
    ("absolute", b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("absolute, other case", b"GET HTTP://A.test/ HTTP/1.1\r\nHost: a.TEST\r\n\r\n", None),
    ("absolute, port of the scheme", b"GET http://a.test:80/ HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    (
        "absolute, other port",
        b"GET http://a.test:81/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        Some(V::HostConflict),
    ),
    ("absolute, https port", b"GET https://a.test:443/ HTTP/1.1\r\nHost: a.test\r\n\r\n", None),
    ("absolute against Host", b"GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::HostConflict)),
    ("absolute without Host", b"GET http://a.test/ HTTP/1.1\r\n\r\n", Some(V::HostMissing)),
    ("absolute with user", b"GET http://u@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::HostInvalid)),
    ("absolute without authority", b"GET http:///a HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::HostInvalid)),
    ("absolute, other scheme", b"GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::TargetForm)),
    // Line ends.
    ("bare LF ends the request line", b"GET / HTTP/1.1\nHost: a.test\r\n\r\n", Some(V::BareLf)),
    ("bare LF ends a field", b"GET / HTTP/1.1\r\nHost: a.test\n\r\n", Some(V::BareLf)),
    ("bare LF ends the head", b"GET / HTTP/1.1\r\nHost: a.test\r\n\n", Some(V::BareLf)),
    ("bare CR in the request line", b"GET /\r HTTP/1.1\r\nHost: a.test\r\n\r\n", Some(V::BareCr)),
    ("bare CR in a value", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\rc\r\n\r\n", Some(V::BareCr)),
    ("bare CR in a name", b"GET / HTTP/1.1\r\nHost: a.test\r\nA\rB: c\r\n\r\n", Some(V::BareCr)),
    ("two CR", b"GET / HTTP/1.1\r\r\nHost: a.test\r\n\r\n", Some(V::BareCr)),
    ("CR alone as the last line", b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\r\n", Some(V::BareCr)),
    // Fields.
    ("fold with space", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\r\n c\r\n\r\n", Some(V::ObsoleteFold)),
    ("fold with tab", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\r\n\tc\r\n\r\n", Some(V::ObsoleteFold)),
    ("fold before any field", b"GET / HTTP/1.1\r\n Host: a.test\r\n\r\n", Some(V::ObsoleteFold)),
    ("space before the colon", b"GET / HTTP/1.1\r\nHost : a.test\r\n\r\n", Some(V::SpaceBeforeColon)),
    ("tab before the colon", b"GET / HTTP/1.1\r\nHost\t: a.test\r\n\r\n", Some(V::SpaceBeforeColon)),
    ("no colon", b"GET / HTTP/1.1\r\nHost: a.test\r\nA\r\n\r\n", Some(V::FieldWithoutColon)),
    ("empty name", b"GET / HTTP/1.1\r\nHost: a.test\r\n: b\r\n\r\n", Some(V::FieldNameEmpty)),
    ("space in a name", b"GET / HTTP/1.1\r\nHost: a.test\r\nA b: c\r\n\r\n", Some(V::FieldNameCharacter)),
    ("bracket in a name", b"GET / HTTP/1.1\r\nHost: a.test\r\nA(: c\r\n\r\n", Some(V::FieldNameCharacter)),
    ("NUL in a name", b"GET / HTTP/1.1\r\nHost: a.test\r\nA\0: c\r\n\r\n", Some(V::FieldNameCharacter)),
    ("non-ASCII name", b"GET / HTTP/1.1\r\nHost: a.test\r\n\xc3\xa4: c\r\n\r\n", Some(V::FieldNameCharacter)),
    ("NUL in a value", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\0\r\n\r\n", Some(V::FieldValueCharacter)),
    (
        "control in a value",
        b"GET / HTTP/1.1\r\nHost: a.test\r\nA: \x01\r\n\r\n",
        Some(V::FieldValueCharacter),
    ),
    ("DEL in a value", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: \x7f\r\n\r\n", Some(V::FieldValueCharacter)),
    ("tab in a value", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\tc\r\n\r\n", None),
    ("obs-text in a value", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: \xe9\r\n\r\n", None),
    ("empty value", b"GET / HTTP/1.1\r\nHost: a.test\r\nA:\r\n\r\n", None),
    ("colons in a value", b"GET / HTTP/1.1\r\nHost: a.test\r\nA::b:\r\n\r\n", None),
    // Host.
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", Some(V::HostMissing)),
    ("two Hosts", b"GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", Some(V::HostRepeated)),
    ("two equal Hosts", b"GET / HTTP/1.1\r\nHost: a.test\r\nhost: a.test\r\n\r\n", Some(V::HostRepeated)),
    ("two Hosts in 1.0", b"GET / HTTP/1.0\r\nHost: a.test\r\nHost: a.test\r\n\r\n", Some(V::HostRepeated)),
    ("Host list", b"GET / HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n", Some(V::HostInvalid)),
    ("empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", Some(V::HostInvalid)),
    ("Host with port", b"GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n", None),
    ("Host with empty port", b"GET / HTTP/1.1\r\nHost: a.test:\r\n\r\n", Some(V::HostInvalid)),
    ("Host with large port", b"GET / HTTP/1.1\r\nHost: a.test:65536\r\n\r\n", Some(V::HostInvalid)),
    ("Host with signed port", b"GET / HTTP/1.1\r\nHost: a.test:+80\r\n\r\n", Some(V::HostInvalid)),
    ("Host with two ports", b"GET / HTTP/1.1\r\nHost: a.test:80:80\r\n\r\n", Some(V::HostInvalid)),
    ("Host with user", b"GET / HTTP/1.1\r\nHost: u@a.test\r\n\r\n", Some(V::HostInvalid)),
    ("Host with path", b"GET / HTTP/1.1\r\nHost: a.test/b\r\n\r\n", Some(V::HostInvalid)),
    ("Host with space", b"GET / HTTP/1.1\r\nHost: a .test\r\n\r\n", Some(V::HostInvalid)),
    ("Host with percent", b"GET / HTTP/1.1\r\nHost: a%2etest\r\n\r\n", Some(V::HostInvalid)),
    ("Host with NUL", b"GET / HTTP/1.1\r\nHost: a\0.test\r\n\r\n", Some(V::FieldValueCharacter)),
    ("Host with non-ASCII", b"GET / HTTP/1.1\r\nHost: \xc3\xa4.test\r\n\r\n", Some(V::HostInvalid)),
    ("Host with empty label", b"GET / HTTP/1.1\r\nHost: a..test\r\n\r\n", Some(V::HostInvalid)),
    ("Host is IPv4", b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", None),
    ("Host is IPv6", b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", None),
    ("Host is bare IPv6", b"GET / HTTP/1.1\r\nHost: 2001:db8::1\r\n\r\n", Some(V::HostInvalid)),
    ("Host is broken IPv6", b"GET / HTTP/1.1\r\nHost: [2001:db8::1\r\n\r\n", Some(V::HostInvalid)),
    ("Host is IPv6 with zone", b"GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", Some(V::HostInvalid)),
    ("Host with underscore for hyphen", b"GET / HTTP/1.1\r\nHost: a.test\r\nHost_: b\r\n\r\n", None),
    // Others.
    ("upgrade to h2c", b"GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: h2c\r\n\r\n", Some(V::UpgradeH2c)),
    (
        "upgrade to h2c in a list",
        b"GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: x, H2C\r\n\r\n",
        Some(V::UpgradeH2c),
    ),
    ("upgrade to websocket", b"GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\n\r\n", None),
    ("expectation", b"GET / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-Continue\r\n\r\n", None),
    (
        "other expectation",
        b"GET / HTTP/1.1\r\nHost: a.test\r\nExpect: coffee\r\n\r\n",
        Some(V::ExpectUnknown),
    ),
];

/// Framing fields of a POST; the framing or the violation.
const FRAMINGS: &[(&str, &str, Result<Framing, Violation>)] = &[
    ("none", "", Ok(Framing::None)),
    ("length", "Content-Length: 5\r\n", Ok(Framing::Length(5))),
    ("zero", "Content-Length: 0\r\n", Ok(Framing::Length(0))),
    ("white space around", "Content-Length: \t 5 \t\r\n", Ok(Framing::Length(5))),
    ("18 digits", "Content-Length: 999999999999999999\r\n", Ok(Framing::Length(999_999_999_999_999_999))),
    ("19 digits", "Content-Length: 1000000000000000000\r\n", Err(V::LengthInvalid)),
    ("overflow", "Content-Length: 18446744073709551617\r\n", Err(V::LengthInvalid)),
    ("plus", "Content-Length: +5\r\n", Err(V::LengthInvalid)),
    ("minus", "Content-Length: -5\r\n", Err(V::LengthInvalid)),
    ("space within", "Content-Length: 5 5\r\n", Err(V::LengthInvalid)),
    ("hexadecimal", "Content-Length: 0x5\r\n", Err(V::LengthInvalid)),
    ("letters", "Content-Length: 5a\r\n", Err(V::LengthInvalid)),
    ("underscore", "Content-Length: 1_0\r\n", Err(V::LengthInvalid)),
    ("leading zero", "Content-Length: 010\r\n", Err(V::LengthInvalid)),
    ("two zeros", "Content-Length: 00\r\n", Err(V::LengthInvalid)),
    ("empty", "Content-Length:\r\n", Err(V::LengthInvalid)),
    ("fraction", "Content-Length: 5.0\r\n", Err(V::LengthInvalid)),
    ("full-width digit", "Content-Length: \u{ff15}\r\n", Err(V::LengthInvalid)),
    ("equal list", "Content-Length: 5, 5\r\n", Err(V::LengthInvalid)),
    ("repeated", "Content-Length: 5\r\nContent-Length: 5\r\n", Err(V::LengthRepeated)),
    ("differing", "Content-Length: 5\r\ncontent-length: 6\r\n", Err(V::LengthRepeated)),
    ("underscore spelling", "Content_Length: 5\r\n", Err(V::FieldNameLookalike)),
    ("underscore spelling beside", "Content-Length: 5\r\nCONTENT_LENGTH: 6\r\n", Err(V::FieldNameLookalike)),
    ("underscore encoding", "Transfer_Encoding: chunked\r\n", Err(V::FieldNameLookalike)),
    ("other underscores", "My_Length: 5\r\n", Ok(Framing::None)),
    ("chunked", "Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked)),
    ("chunked, case", "transfer-encoding: Chunked\r\n", Ok(Framing::Chunked)),
    ("chunked, white space", "Transfer-Encoding: \tchunked \r\n", Ok(Framing::Chunked)),
    ("both", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err(V::LengthAndEncoding)),
    ("both, other order", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Err(V::LengthAndEncoding)),
    ("both, unknown coding", "Transfer-Encoding: x\r\nContent-Length: 5\r\n", Err(V::LengthAndEncoding)),
    ("identity", "Transfer-Encoding: identity\r\n", Err(V::EncodingUnknown)),
    ("gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", Err(V::EncodingUnknown)),
    ("chunked not last", "Transfer-Encoding: chunked, gzip\r\n", Err(V::EncodingUnknown)),
    ("chunked twice in a list", "Transfer-Encoding: chunked, chunked\r\n", Err(V::EncodingUnknown)),
    ("trailing comma", "Transfer-Encoding: chunked,\r\n", Err(V::EncodingUnknown)),
    ("prefixed", "Transfer-Encoding: xchunked\r\n", Err(V::EncodingUnknown)),
    ("quoted", "Transfer-Encoding: \"chunked\"\r\n", Err(V::EncodingUnknown)),
    ("parameter", "Transfer-Encoding: chunked;a=b\r\n", Err(V::EncodingUnknown)),
    ("vertical tab", "Transfer-Encoding: \x0bchunked\r\n", Err(V::FieldValueCharacter)),
    ("empty coding", "Transfer-Encoding:\r\n", Err(V::EncodingUnknown)),
    ("space before the colon", "Transfer-Encoding : chunked\r\n", Err(V::SpaceBeforeColon)),
    (
        "two encodings",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        Err(V::EncodingRepeated),
    ),
    (
        "two equal encodings",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        Err(V::EncodingRepeated),
    ),
    ("folded", "Transfer-Encoding:\r\n chunked\r\n", Err(V::ObsoleteFold)),
];

#[test]
fn heads() {
    for (name, bytes, expected) in HEADS {
        match (parse(bytes), expected) {
            (Ok(Parsed::Complete(_, taken)), None) => assert_eq!(taken, bytes.len(), "{name}"),
            (Err(violation), Some(expected)) => assert_eq!(violation, *expected, "{name}"),
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}

#[test]
fn framings() {
    for (name, fields, expected) in FRAMINGS {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
        let found = match parse(bytes.as_bytes()) {
            Ok(Parsed::Complete(head, _)) => Ok(head.framing()),
            Ok(Parsed::Partial) => panic!("{name}: partial"),
            Err(violation) => Err(violation),
        };
        assert_eq!(found, *expected, "{name}");
    }
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(parse(old).err(), Some(V::EncodingInHttp10));
}

#[test]
fn byte_by_byte_is_as_whole() {
    let framed = FRAMINGS.iter().map(|(name, fields, _)| {
        (*name, format!("POST / HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n").into_bytes())
    });
    let rows = HEADS.iter().map(|(name, bytes, _)| (*name, bytes.to_vec())).chain(framed);
    for (name, bytes) in rows {
        let whole = outcome(parse(&bytes));
        let mut parser = crate::http::RequestParser::new(Limits::default());
        let found = (0..=bytes.len()).find_map(|n| match parser.parse(&bytes[..n]) {
            Ok(Parsed::Partial) => None,
            decided => Some(outcome(decided)),
        });
        assert_eq!(found, Some(whole), "{name}");
    }
}

pub(super) fn outcome(parsed: Result<Parsed<RequestHead>, Violation>) -> Result<String, Violation> {
    parsed.map(|parsed| format!("{parsed:?}"))
}

#[test]
fn limits_on_both_sides() {
    let line = |extra: usize| {
        let path = "a".repeat(8 * 1024 - "GET / HTTP/1.1".len() + extra);
        format!("GET /{path} HTTP/1.1\r\nHost: a.test\r\n\r\n")
    };
    let block = |extra: usize| {
        let value = "a".repeat(32 * 1024 - "Host: a.test\r\nA: \r\n".len() + extra);
        format!("GET / HTTP/1.1\r\nHost: a.test\r\nA: {value}\r\n\r\n")
    };
    let fields =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: a.test\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
    let rows = [
        ("longest request line", line(0), None),
        ("one byte more", line(1), Some(V::TargetTooLong)),
        ("largest block", block(0), None),
        ("one byte more", block(1), Some(V::HeadTooLarge)),
        ("most fields", fields(100), None),
        ("one field more", fields(101), Some(V::TooManyFields)),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(parse(bytes.as_bytes()).err(), expected, "{name}");
        if let Some(expected) = expected.filter(|violation| *violation != V::TooManyFields) {
            // A line that never ends is refused as soon as it is too long.
            let line = bytes.split("\r\n").next().unwrap_or_default();
            let cut = if expected == V::TargetTooLong { line } else { bytes.trim_end() };
            assert_eq!(parse(cut.as_bytes()).err(), Some(expected), "{name}, unfinished");
        }
    }
    assert!(matches!(parse(line(0).trim_end().as_bytes()), Ok(Parsed::Partial)));
}

#[test]
fn parts_of_a_head() {
    let bytes = b"POST http://A.Test:8080/p/a?q=1&r HTTP/1.1\r\nhOST:  a.test.:8080 \r\nX-A: 1\r\nx-a:2 \r\n\
        Connection: Keep-Alive, X-Hop\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc";
    let Ok(Parsed::Complete(head, taken)) = parse(bytes) else { panic!("a head") };
    assert_eq!(taken, bytes.len() - 3);
    assert_eq!(head.method(), "POST");
    assert_eq!(head.target(), "http://A.Test:8080/p/a?q=1&r");
    assert_eq!(head.path_and_query(), "/p/a?q=1&r");
    assert_eq!((head.path(), head.query()), ("/p/a", Some("q=1&r")));
    let host = head.host().expect("a Host");
    assert_eq!((host.text(), host.name(), host.port()), ("a.test.:8080", "a.test", Some(8080)));
    assert_eq!(head.fields().values("X-a").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(head.fields().iter().next().map(|field| field.name), Some("hOST"));
    for (name, hop) in
        [("Connection", true), ("x-hop", true), ("TE", true), ("Upgrade", true), ("X-A", false)]
    {
        assert_eq!(head.fields().is_hop_by_hop(name), hop, "{name}");
    }
    assert!(head.expects_continue() && head.keeps_alive() && !head.is_idempotent());
}

#[test]
fn connection_names_fields() {
    // Connection's values; a name; whether it is for one hop.
    let rows = [
        ("", "X-Hop", false),
        ("", "close", false),
        ("Connection: close\r\n", "Close", true),
        ("Connection: keep-alive\r\n", "Keep-Alive", true),
        ("Connection: keep-alive\r\n", "X-Hop", false),
        ("Connection: X-Hop\r\n", "x-hop", true),
        ("Connection: close\r\nConnection: x-hop\r\n", "X-Hop", true),
        ("Connection: x-hop\r\nConnection: close\r\n", "X-Hop", true),
        ("Connection: close, x-hop\r\n", "X-Hop", true),
    ];
    for (fields, name, expected) in rows {
        let bytes = format!("GET / HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
        let Ok(Parsed::Complete(head, _)) = parse(bytes.as_bytes()) else { panic!("{bytes}") };
        assert_eq!(head.fields().is_hop_by_hop(name), expected, "{name} in {bytes}");
    }
}

#[test]
fn keep_alive() {
    let rows = [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: x, CLOSE\r\n", false),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: keep-alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ];
    for (version, fields, expected) in rows {
        let bytes = format!("GET / {version}\r\nHost: a.test\r\n{fields}\r\n");
        let Ok(Parsed::Complete(head, _)) = parse(bytes.as_bytes()) else { panic!("{bytes}") };
        assert_eq!(head.keeps_alive(), expected, "{bytes}");
    }
}
