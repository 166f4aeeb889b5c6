//! Raw response heads -> status and framing, or the violation.

use Violation as V;

use crate::http::{Framing, Limits, Parsed, ResponseParser, Violation};

/// Method of the request, raw head; status and framing, or the violation.
type Row = (&'static str, &'static str, &'static [u8], Result<(u16, Framing), Violation>);

const HEADS: &[Row] = &[
    ("length", "GET", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Ok((200, Framing::Length(3)))),
    ("chunked", "GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Ok((200, Framing::Chunked))),
    ("until close", "GET", b"HTTP/1.1 200 OK\r\n\r\n", Ok((200, Framing::UntilClose))),
    ("no phrase", "GET", b"HTTP/1.1 404 \r\n\r\n", Ok((404, Framing::UntilClose))),
    ("no phrase, no space", "GET", b"HTTP/1.1 404\r\n\r\n", Ok((404, Framing::UntilClose))),
    ("HTTP/1.0", "GET", b"HTTP/1.0 200 OK\r\n\r\n", Ok((200, Framing::UntilClose))),
    ("HEAD", "HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Ok((200, Framing::None))),
    (
        "HEAD, chunked",
        "HEAD",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        Ok((200, Framing::None)),
    ),
    ("204", "GET", b"HTTP/1.1 204 No Content\r\n\r\n", Ok((204, Framing::None))),
    ("304", "GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", Ok((304, Framing::None))),
    ("100", "GET", b"HTTP/1.1 100 Continue\r\n\r\n", Ok((100, Framing::None))),
    ("103", "GET", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", Ok((103, Framing::None))),
    ("101", "GET", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Err(V::StatusUnexpected)),
    ("status below 100", "GET", b"HTTP/1.1 099 Odd\r\n\r\n", Err(V::StatusUnexpected)),
    ("no HTTP", "GET", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Err(V::StatusLine)),
    ("HTTP/2.0", "GET", b"HTTP/2.0 200 OK\r\n\r\n", Err(V::StatusLine)),
    ("empty line first", "GET", b"\r\nHTTP/1.1 200 OK\r\n\r\n", Err(V::StatusLine)),
    ("control byte first", "GET", b"\x15\x03\x01\r\n\r\n", Err(V::StatusLine)),
    ("bare LF", "GET", b"HTTP/1.1 200 OK\nA: b\r\n\r\n", Err(V::BareLf)),
    ("bare CR", "GET", b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", Err(V::BareCr)),
    ("fold", "GET", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Err(V::ObsoleteFold)),
    (
        "both lengths",
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        Err(V::LengthAndEncoding),
    ),
    (
        "two lengths",
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
        Err(V::LengthRepeated),
    ),
    (
        "gzip, chunked",
        "GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        Err(V::EncodingUnknown),
    ),
];

#[test]
fn heads() {
    for (name, method, bytes, expected) in HEADS {
        let found = match ResponseParser::new(Limits::default(), method).parse(bytes) {
            Ok(Parsed::Complete(head, taken)) => {
                assert_eq!(taken, bytes.len(), "{name}");
                Ok((head.status(), head.framing()))
            }
            Ok(Parsed::Partial) => panic!("{name}: partial"),
            Err(violation) => Err(violation),
        };
        assert_eq!(found, *expected, "{name}");
    }
}

#[test]
fn keep_alive() {
    let rows: &[(&[u8], bool)] = &[
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false),
        (b"HTTP/1.1 200 OK\r\n\r\n", false),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", true),
    ];
    for (bytes, expected) in rows {
        let parsed = ResponseParser::new(Limits::default(), "GET").parse(bytes);
        let Ok(Parsed::Complete(head, _)) = parsed else { panic!("{}", bytes.escape_ascii()) };
        assert_eq!(head.keeps_alive(), *expected, "{}", bytes.escape_ascii());
    }
}
