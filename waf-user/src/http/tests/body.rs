//! Bodies in any cut of their bytes -> content, what is left, or the violation.

use Violation as V;

use crate::http::{BodyDecoder, Framing, Violation};

/// Content, what is left of the input, whether the body is done.
pub(super) type Fed = (Vec<u8>, Vec<u8>, bool);

/// Feeds `pieces` one after the other.
pub(super) fn decode(framing: Framing, pieces: &[&[u8]]) -> Result<Fed, Violation> {
    let mut decoder = BodyDecoder::new(framing);
    let (mut content, mut input) = (Vec::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            let decoded = decoder.decode(&input)?;
            content.extend_from_slice(decoded.data);
            let consumed = decoded.consumed;
            input.drain(..consumed);
            if consumed == 0 || decoder.is_done() {
                break;
            }
        }
    }
    Ok((content, input, decoder.is_done()))
}

/// Name, chunked bytes; content and what is left, or the violation.
type Chunked = (&'static str, &'static [u8], Result<(&'static [u8], &'static [u8]), Violation>);

const CHUNKED: &[Chunked] = &[
    ("empty", b"0\r\n\r\n", Ok((b"", b""))),
    ("one chunk", b"3\r\nabc\r\n0\r\n\r\n", Ok((b"abc", b""))),
    ("two chunks", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Ok((b"abcde", b""))),
    ("next request", b"0\r\n\r\nGET /", Ok((b"", b"GET /"))),
    ("CRLF in the content", b"4\r\n\r\n\r\n\r\n0\r\n\r\n", Ok((b"\r\n\r\n", b""))),
    (
        "hexadecimal, both cases",
        b"0a\r\n0123456789\r\n0B\r\n0123456789a\r\n0\r\n\r\n",
        Ok((b"01234567890123456789a", b"")),
    ),
    ("last chunk of many zeros", b"000\r\n\r\n", Ok((b"", b""))),
    ("15 digits", b"000000000000001\r\na\r\n0\r\n\r\n", Ok((b"a", b""))),
    ("16 digits", b"0000000000000001\r\na\r\n0\r\n\r\n", Err(V::ChunkSizeOverflow)),
    ("overflow", b"10000000000000000\r\n", Err(V::ChunkSizeOverflow)),
    ("no digits", b"\r\n", Err(V::ChunkSize)),
    ("plus", b"+3\r\nabc\r\n", Err(V::ChunkSize)),
    ("minus", b"-3\r\nabc\r\n", Err(V::ChunkSize)),
    ("0x", b"0x3\r\nabc\r\n", Err(V::ChunkSize)),
    ("underscore", b"1_0\r\n", Err(V::ChunkSize)),
    ("space before", b" 3\r\nabc\r\n", Err(V::ChunkSize)),
    ("space after", b"3 \r\nabc\r\n", Err(V::ChunkSize)),
    ("tab after", b"3\t\r\nabc\r\n", Err(V::ChunkSize)),
    ("junk", b"3g\r\nabc\r\n", Err(V::ChunkSize)),
    ("NUL", b"3\0\r\nabc\r\n", Err(V::ChunkSize)),
    ("bare LF after the size", b"3\nabc\r\n0\r\n\r\n", Err(V::BareLf)),
    ("bare CR after the size", b"3\r\rabc\r\n0\r\n\r\n", Err(V::BareCr)),
    ("CR CR LF after the size", b"3\r\r\nabc\r\n", Err(V::BareCr)),
    ("content too short", b"3\r\nab\r\n0\r\n\r\n", Err(V::ChunkEnd)),
    ("content too long", b"3\r\nabcd\r\n0\r\n\r\n", Err(V::ChunkEnd)),
    ("bare LF after the content", b"3\r\nabc\n0\r\n\r\n", Err(V::ChunkEnd)),
    ("bare CR after the content", b"3\r\nabc\r0\r\n\r\n", Err(V::ChunkEnd)),
    ("extension", b"3;a\r\nabc\r\n0;b=c;d=\"e;\\\"f\"\r\n\r\n", Ok((b"abc", b""))),
    ("extension without a name", b"3;\r\nabc\r\n", Err(V::ChunkExtension)),
    ("extension without a value", b"3;a=\r\nabc\r\n", Err(V::ChunkExtension)),
    ("extension with space", b"3; a\r\nabc\r\n", Err(V::ChunkExtension)),
    ("extension with open quote", b"3;a=\"b\r\nabc\r\n", Err(V::ChunkExtension)),
    ("extension with bare LF", b"3;a\nabc\r\n", Err(V::BareLf)),
    ("extension with bare CR", b"3;a\rb\r\nabc\r\n", Err(V::BareCr)),
    ("extension with a control character", b"3;a=\"\x01\"\r\nabc\r\n", Err(V::ChunkExtension)),
    ("trailer dropped", b"0\r\nA: b\r\nC: d\r\n\r\nx", Ok((b"", b"x"))),
    ("trailer without colon", b"0\r\nA\r\n\r\n", Err(V::FieldWithoutColon)),
    ("trailer with space before the colon", b"0\r\nA : b\r\n\r\n", Err(V::SpaceBeforeColon)),
    ("trailer folded", b"0\r\nA: b\r\n c\r\n\r\n", Err(V::ObsoleteFold)),
    ("trailer with bare LF", b"0\r\nA: b\n\r\n", Err(V::BareLf)),
    ("end with bare LF", b"0\r\n\n", Err(V::BareLf)),
    ("end with CR CR LF", b"0\r\n\r\r\n", Err(V::BareCr)),
];

#[test]
fn chunked() {
    for (name, bytes, expected) in CHUNKED {
        let whole = decode(Framing::Chunked, &[bytes]);
        let expected = (*expected).map(|(content, left)| (content.to_vec(), left.to_vec(), true));
        assert_eq!(whole, expected, "{name}");
        let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(Framing::Chunked, &bytewise), expected, "{name}, byte by byte");
    }
}

#[test]
fn limits_on_both_sides() {
    let extension = |bytes: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(bytes - 1));
    let spread = |each: usize| format!("1;{0}\r\na\r\n1;{0}\r\na\r\n0\r\n\r\n", "x".repeat(each - 1));
    let trailer = |bytes: usize| format!("0\r\nA: {}\r\n\r\n", "x".repeat(bytes - 3));
    let rows = [
        ("longest extension", extension(4096), None),
        ("one byte more", extension(4097), Some(V::ChunkExtension)),
        ("extensions together", spread(2048), None),
        ("one byte more", spread(2049), Some(V::ChunkExtension)),
        ("longest trailer", trailer(8192), None),
        ("one byte more", trailer(8193), Some(V::TrailerTooLarge)),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(decode(Framing::Chunked, &[bytes.as_bytes()]).err(), expected, "{name}");
    }
}

#[test]
fn lengths_and_ends() {
    // Name, framing, input, content, whether it is then done, whether the connection may end here.
    type Row = (&'static str, Framing, &'static [u8], &'static [u8], bool, bool);
    let rows: &[Row] = &[
        ("none", Framing::None, b"x", b"", true, true),
        ("zero", Framing::Length(0), b"x", b"", true, true),
        ("exact", Framing::Length(3), b"abc", b"abc", true, true),
        ("more follows", Framing::Length(3), b"abcd", b"abc", true, true),
        ("cut off", Framing::Length(3), b"ab", b"ab", false, false),
        ("until close", Framing::UntilClose, b"abc", b"abc", false, true),
        ("chunked cut off", Framing::Chunked, b"3\r\nab", b"ab", false, false),
        ("chunked without end", Framing::Chunked, b"2\r\nab\r\n", b"ab", false, false),
    ];
    for (name, framing, input, content, done, ends_well) in rows {
        let mut decoder = BodyDecoder::new(*framing);
        let (mut found, mut at) = (Vec::new(), 0);
        loop {
            let decoded = decoder.decode(&input[at..]).expect("sound input");
            found.extend_from_slice(decoded.data);
            at += decoded.consumed;
            if decoded.consumed == 0 || decoder.is_done() {
                break;
            }
        }
        assert_eq!(found, *content, "{name}");
        assert_eq!(decoder.is_done(), *done, "{name}");
        assert_eq!(decoder.end().is_ok(), *ends_well, "{name}");
    }
}
