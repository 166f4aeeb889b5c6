//! What curl writes, as an answer.

use std::time::Duration;

use super::parse;

#[test]
fn heads_and_bodies() {
    let rows: [(&str, &str, u16, &str); 4] = [
        ("plain", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody", 200, "body"),
        ("no body", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (
            "interim first",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nA: b\r\n\r\nno\r\n\r\n",
            403,
            "no\r\n\r\n",
        ),
        ("no reason", "HTTP/1.1 421\r\n\r\n", 421, ""),
    ];
    for (name, bytes, status, body) in rows {
        let answer = parse(bytes.as_bytes(), Duration::ZERO).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{name}");
    }
    assert!(parse(b"", Duration::ZERO).is_err());
    let answer = parse(b"HTTP/1.1 200 OK\r\nX-Request-Id: 7\r\n\r\n", Duration::ZERO).unwrap();
    assert_eq!(answer.header("x-request-id"), Some("7"));
}
