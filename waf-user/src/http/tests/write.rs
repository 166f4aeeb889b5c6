//! What the writer makes of fields and chunks, hostile ones too.

use crate::http::{HeadWriter, write_chunk};

#[test]
fn heads_are_written() {
    let mut head = HeadWriter::request("GET", "/a?b");
    head.field("Host", b"a.test");
    head.field("A: b\r\nX", b"1");
    head.field("", b"1");
    head.field("X", b"1\r\nY: 2");
    head.content_length(0);
    head.content_length(10);
    head.content_length(1_234_567_890);
    let expected = "GET /a?b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nContent-Length: 10\r\n\
        Content-Length: 1234567890\r\n\r\n";
    assert_eq!(String::from_utf8_lossy(&head.finish()), expected);
    let rows = [
        (200, "Fine", "HTTP/1.1 200 Fine\r\n\r\n"),
        (403, "", "HTTP/1.1 403 Forbidden\r\n\r\n"),
        (299, "", "HTTP/1.1 299 \r\n\r\n"),
        (200, "a\r\nb", "HTTP/1.1 200 ab\r\n\r\n"),
    ];
    for (status, phrase, expected) in rows {
        let head = HeadWriter::response(status, phrase).finish();
        assert_eq!(String::from_utf8_lossy(&head), expected, "{status} {phrase:?}");
    }
}

#[test]
fn chunks_are_written() {
    for (len, size) in [(1, "1"), (9, "9"), (15, "f"), (16, "10"), (255, "ff"), (65_536, "10000")] {
        let data = vec![b'x'; len];
        let mut out = Vec::new();
        write_chunk(&mut out, &data);
        let expected = [size.as_bytes(), b"\r\n", &data, b"\r\n"].concat();
        assert_eq!(out, expected, "{len}");
    }
    let mut out = Vec::new();
    write_chunk(&mut out, b"");
    assert!(out.is_empty(), "an empty chunk would end the body");
}
